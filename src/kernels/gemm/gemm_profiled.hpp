#pragma once

#include <memory>
#include <string>

#include "base/profile.hpp"
#include "kernels/gemm/gemm.hpp"

namespace ballast::kernels {

/// Another library's products, each a span of a profile: its region tells which operands are
/// transposed, its detail is {m, n, k, element type}.
class ProfiledGemm final : public Gemm {
 public:
  /// `profile` must outlive this.
  ProfiledGemm(std::unique_ptr<Gemm> gemm, Profile& profile)
      : gemm_{std::move(gemm)}, profile_{&profile} {}

  void multiply(const Operand& a, Transpose transpose_a, const Operand& b, Transpose transpose_b,
                const Destination& c, Store store, float alpha) const override;

  [[nodiscard]] bool is_native(ElementType type) const override { return gemm_->is_native(type); }
  [[nodiscard]] std::string description() const override { return gemm_->description(); }

 private:
  std::unique_ptr<Gemm> gemm_;
  Profile* profile_;
};

}  // namespace ballast::kernels

#pragma once

#include <memory>

#include "base/team.hpp"
#include "kernels/gemm/gemm_library.hpp"
#include "kernels/panel/panel_kernel.hpp"
#include "tensor/arena.hpp"

namespace ballast::kernels {

/// Products by this program's own kernels: fp32 on AVX-512, bf16 on AMX tiles. For processors whose
/// AVX-512 or AMX units the libraries use badly; ADR 12 has the figures.
class PanelGemm final : public LibraryGemm {
 public:
  /// Whether this processor has the instructions that the kernels need.
  [[nodiscard]] static bool is_supported();

  /// `team`, which may be null, must outlive this. Throws a usage Error unless is_supported().
  explicit PanelGemm(Team* team = nullptr);

  [[nodiscard]] bool is_native(ElementType type) const override {
    return type == ElementType::fp32 || (type == ElementType::bf16 && bf16_ != nullptr);
  }
  [[nodiscard]] std::string description() const override;

 private:
  void multiply_fp32(const Product& product) const override { multiply_by(*fp32_, product); }
  void multiply_narrow(const Product& product) const override { multiply_by(*bf16_, product); }
  void multiply_by(const PanelKernel& kernel, const Product& product) const;

  std::unique_ptr<PanelKernel> fp32_;
  std::unique_ptr<PanelKernel> bf16_;
  Team* team_;
  mutable std::vector<Mapping> panels_a_;  ///< by worker
  mutable Mapping panels_b_;
};

}  // namespace ballast::kernels

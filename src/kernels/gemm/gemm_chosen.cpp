#include <algorithm>
#include <array>
#include <fmt/ranges.h>

#include "base/hash.hpp"
#include "kernels/gemm/gemm_factory.hpp"
#include "kernels/gemm/gemm_table.hpp"

namespace ballast::kernels {

namespace {

class ChosenGemm final : public Gemm {
 public:
  ChosenGemm(const GemmTable& table, Team* team) : table_{table} {
    for (const GemmLibrary library : table.libraries()) of(library) = make_gemm(library, team);
  }

  void multiply(const Operand& a, Transpose transpose_a, const Operand& b, Transpose transpose_b,
                const Destination& c, Store store, float alpha) const override {
    const std::size_t depth = transpose_a == Transpose::no ? a.cols : a.rows;
    const auto library = table_.choose({a.type, transpose_a, transpose_b, c.rows, c.cols, depth});
    of(library)->multiply(a, transpose_a, b, transpose_b, c, store, alpha);
  }

  [[nodiscard]] bool is_native(ElementType type) const override {
    return std::ranges::any_of(
        made_, [&](const auto& gemm) { return gemm != nullptr && gemm->is_native(type); });
  }

  [[nodiscard]] std::string description() const override {
    std::vector<std::string> descriptions;
    for (const auto& gemm : made_) {
      if (gemm != nullptr) descriptions.push_back(gemm->description());
    }
    Hasher hasher;
    const std::string text = table_.rules_text();
    hasher.update(std::as_bytes(std::span{text}));
    return fmt::format("{}; table {}", fmt::join(descriptions, "; "),
                       hasher.digest().hex().substr(0, 8));
  }

 private:
  [[nodiscard]] const std::unique_ptr<Gemm>& of(GemmLibrary library) const {
    return made_[static_cast<std::size_t>(library)];
  }
  std::unique_ptr<Gemm>& of(GemmLibrary library) {
    return made_[static_cast<std::size_t>(library)];
  }

  GemmTable table_;
  std::array<std::unique_ptr<Gemm>, 3> made_;
};

}  // namespace

std::unique_ptr<Gemm> make_gemm(const GemmTable& table, Team* team) {
  return std::make_unique<ChosenGemm>(table, team);
}

}  // namespace ballast::kernels

#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/gemm/gemm.hpp"
#include "kernels/gemm/gemm_factory.hpp"

namespace ballast::kernels {

/// The facts on which the choice of a library may depend: op(a) [m, k] times op(b) [k, n], each
/// stored transposed or not. Speed at run time is none, since libraries differ in their last bits.
struct GemmCall {
  ElementType type;
  Transpose transpose_a;
  Transpose transpose_b;
  std::size_t m;
  std::size_t n;
  std::size_t k;
};

/// Sizes from `least` to `most`, both included.
struct SizeRange {
  std::size_t least = 0;
  std::size_t most = SIZE_MAX;

  [[nodiscard]] bool holds(std::size_t size) const { return least <= size && size <= most; }
  [[nodiscard]] bool is_any() const { return least == 0 && most == SIZE_MAX; }
};

/// One line of a table. A field that is not given fits every call.
struct GemmRule {
  std::optional<ElementType> type{};
  std::optional<Transpose> transpose_a{};
  std::optional<Transpose> transpose_b{};
  SizeRange m{};
  SizeRange n{};
  SizeRange k{};
  GemmLibrary library{};

  [[nodiscard]] bool fits(const GemmCall& call) const;
  [[nodiscard]] bool fits_all() const;
  /// Exactly `call`.
  [[nodiscard]] static GemmRule of(const GemmCall& call, GemmLibrary library);
};

/// Which library computes which product: the first rule that fits. `ballast tune` writes a table
/// for one machine; the shipped one depends on the libraries of this build and on the processor.
class GemmTable {
 public:
  [[nodiscard]] static GemmTable shipped();

  /// These rules, then the shipped ones; rules after one that fits every call are left out.
  explicit GemmTable(std::vector<GemmRule> rules);

  /// Reads a table that `text` wrote. Usage Errors name `origin` and line, or say that the table
  /// was written for other libraries or another instruction set.
  [[nodiscard]] static GemmTable parse(std::string_view text, std::string_view origin);
  /// Reads rules that `rules_text` wrote, on any machine. Usage Errors name `origin` and line.
  [[nodiscard]] static GemmTable parse_rules(std::string_view rules, std::string_view origin);
  [[nodiscard]] std::string text() const;
  /// The rules alone, without the machine that they were written for.
  [[nodiscard]] std::string rules_text() const;

  [[nodiscard]] GemmLibrary choose(const GemmCall& call) const;
  /// The libraries that some rule names.
  [[nodiscard]] std::vector<GemmLibrary> libraries() const;

 private:
  std::vector<GemmRule> rules_;
};

/// The libraries and instruction sets for which a table is valid.
[[nodiscard]] std::string gemm_machine();

/// Products by the library that the table names for each; `team` as above.
[[nodiscard]] std::unique_ptr<Gemm> make_gemm(const GemmTable& table, Team* team = nullptr);

}  // namespace ballast::kernels

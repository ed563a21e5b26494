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

/// What a choice of library may depend on: op(a) [m, k] times op(b) [k, n], whose operands lie in
/// memory transposed or not. Never on speed at run time, since libraries differ in their last bits.
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

/// One line of a table. What is not given fits every call.
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

/// Which library serves which product: the first rule that fits. Written by `ballast tune` for one
/// machine, or shipped: then by what this build has and this processor runs.
class GemmTable {
 public:
  [[nodiscard]] static GemmTable shipped();

  /// Rules before the shipped ones; those behind one that fits every call are left out.
  explicit GemmTable(std::vector<GemmRule> rules);

  /// Reads what `text` wrote; usage Errors name `origin` and line, or say that the table belongs to
  /// other libraries or another instruction set.
  [[nodiscard]] static GemmTable parse(std::string_view text, std::string_view origin);
  /// Reads what `rules_text` wrote, wherever that was; usage Errors name `origin` and line.
  [[nodiscard]] static GemmTable parse_rules(std::string_view rules, std::string_view origin);
  [[nodiscard]] std::string text() const;
  /// Its lines alone, without the machine that they were written for.
  [[nodiscard]] std::string rules_text() const;

  [[nodiscard]] GemmLibrary choose(const GemmCall& call) const;
  /// Those that some rule names.
  [[nodiscard]] std::vector<GemmLibrary> libraries() const;

 private:
  std::vector<GemmRule> rules_;
};

/// The libraries and instruction sets that a table is good for.
[[nodiscard]] std::string gemm_machine();

/// Products by the library that the table names for each; `team` as above.
[[nodiscard]] std::unique_ptr<Gemm> make_gemm(const GemmTable& table, Team* team = nullptr);

}  // namespace ballast::kernels

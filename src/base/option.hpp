#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace ballast {

/// How many values an option takes.
enum class Arity { none, one, many };
enum class Presence { optional, required };
/// Whether all ranks of a job must be given the same value; with `own`, each has its own.
enum class Agreement { same, own };

/// One row of an options table: a key, what it takes, and how it reaches the struct that it was
/// made for. The struct must outlive the row. Rows are made by the functions of option_row.hpp.
struct Option {
  std::string name;          ///< "optim.lr"; without a section for commands that have no file
  std::string value_name{};  ///< as the help shows it: "N", "PATH", "rms|layer"
  std::string takes{};       ///< what is allowed, in words: "a number above 0"
  std::string note{};        ///< the limits again, short, for the help; may be empty
  std::string help{};
  std::string fallback{};  ///< the meaning of no value from `get`: "5% of schedule.steps"
  Arity arity = Arity::one;
  Presence presence = Presence::optional;
  Agreement agreement = Agreement::same;
  /// false: the value is not allowed, and the struct is as it was. May throw a usage Error.
  std::function<bool(const std::string&)> set{};
  std::function<std::optional<std::string>()> get{};  ///< reads back through `set`; nullopt: unset
};

/// "optim" of "optim.lr"; "" without a section.
[[nodiscard]] std::string section_of(const Option& option);
/// "lr" of "optim.lr".
[[nodiscard]] std::string key_of(const Option& option);

/// Limits of a whole number, both included.
struct Limits {
  std::uint64_t least = 0;
  std::uint64_t most = UINT64_MAX;
};

/// Limits of a number: a test and its name.
struct Range {
  std::string_view words;
  bool (*holds)(double);
};
inline constexpr Range kZeroOrMore{"0 or more", [](double x) { return x >= 0.0; }};
inline constexpr Range kAboveZero{"above 0", [](double x) { return x > 0.0; }};
inline constexpr Range kBelowOne{"from 0 to below 1", [](double x) { return x >= 0.0 && x < 1.0; }};
inline constexpr Range kUpToOne{"above 0, up to 1", [](double x) { return x > 0.0 && x <= 1.0; }};
inline constexpr Range kShare{"from 0 to 1", [](double x) { return x >= 0.0 && x <= 1.0; }};
inline constexpr Range kPart{"above 0, below 1", [](double x) { return x > 0.0 && x < 1.0; }};

}  // namespace ballast

#pragma once

#include <concepts>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ballast::cli {

/// How many values an option takes.
enum class Arity { none, one, many };
enum class Presence { optional, required };
/// Whether all ranks of a job must be given the same value: `own` where each settles it for itself.
enum class Agreement { same, own };

/// One row of an options table: a key, what it takes, and how it reaches the struct that it was
/// made for. The struct must outlive the row.
struct Option {
  std::string name;          ///< "optim.lr"; without a section for commands that have no file
  std::string value_name{};  ///< as the help shows it: "N", "PATH", "rms|layer"
  std::string takes{};       ///< what is allowed, in words: "a number above 0"
  std::string note{};        ///< the limits again, short, for the help; may be empty
  std::string help{};
  std::string fallback{};  ///< what holds while `get` has no value: "5% of schedule.steps"
  Arity arity = Arity::one;
  Presence presence = Presence::optional;
  Agreement agreement = Agreement::same;
  std::function<bool(const std::string&)> set{};      ///< false: the value is not allowed
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

/// The whole of `text` as a number, or nothing.
[[nodiscard]] std::optional<std::uint64_t> parse_whole(const std::string& text);
template <std::floating_point Real>
[[nodiscard]] std::optional<Real> parse_number(const std::string& text);

[[nodiscard]] Option whole(std::string name, std::uint64_t& target, Limits limits,
                           std::string help);
/// A whole number that stands for `fallback` while it is not set.
[[nodiscard]] Option whole(std::string name, std::optional<std::uint64_t>& target, Limits limits,
                           std::string fallback, std::string help);

/// Printed with as many digits as it takes to read back the same number.
template <std::floating_point Real>
[[nodiscard]] Option number(std::string name, Real& target, Range range, std::string help);

/// true|false
[[nodiscard]] Option boolean(std::string name, bool& target, std::string help);

/// An option without a value: given or not.
[[nodiscard]] Option flag(std::string name, bool& target, std::string help);

/// A key that knows one value so far.
[[nodiscard]] Option fixed(std::string name, std::string value, std::string help);

/// A path or word in one line: not empty, no control characters; ~/ begins with the home folder.
template <class Text>
[[nodiscard]] Option word(std::string name, std::string value_name, Text& target, std::string help);
[[nodiscard]] Option words(std::string name, std::string value_name,
                           std::vector<std::string>& target, std::string help);

/// Any text at all.
[[nodiscard]] Option text(std::string name, std::string value_name, std::string& target,
                          std::string help);

[[nodiscard]] Option required(Option option);
/// A row whose value each rank of a job may have for itself.
[[nodiscard]] Option own_to_a_rank(Option option);

/// What every choice has in common; `choice` adds the enumeration.
[[nodiscard]] Option choice_row(std::string name, const std::vector<std::string>& words,
                                std::string help);

template <class Enum>
[[nodiscard]] Option choice(std::string name, Enum& target,
                            std::initializer_list<std::pair<const char*, Enum>> choices,
                            std::string help) {
  std::vector<std::string> words;
  for (const auto& [word, value] : choices) words.emplace_back(word);
  Option option = choice_row(std::move(name), words, std::move(help));
  const std::vector<std::pair<const char*, Enum>> table{choices};
  option.set = [&target, table](const std::string& text) {
    for (const auto& [word, value] : table) {
      if (text == word) {
        target = value;
        return true;
      }
    }
    return false;
  };
  option.get = [&target, table]() -> std::optional<std::string> {
    for (const auto& [word, value] : table) {
      if (target == value) return word;
    }
    return std::nullopt;
  };
  return option;
}

}  // namespace ballast::cli

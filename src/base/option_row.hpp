#pragma once

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/option.hpp"
#include "base/words.hpp"

/// One function for each kind of row. `target` must outlive the row.
namespace ballast::option_row {

/// The whole of `text` as a number, or nothing.
[[nodiscard]] std::optional<std::uint64_t> parse_whole(const std::string& text);
template <std::floating_point Real>
[[nodiscard]] std::optional<Real> parse_number(const std::string& text);
/// A path or word in one line, ~/ read as the home folder; nothing if it is empty or has control
/// characters. A usage Error as read_path_word throws it.
[[nodiscard]] std::optional<std::string> parse_word(const std::string& text);

[[nodiscard]] Option whole(std::string name, std::uint64_t& target, Limits limits,
                           std::string help);
/// A whole number that stands for `fallback` while it is not set.
[[nodiscard]] Option whole(std::string name, std::optional<std::uint64_t>& target, Limits limits,
                           std::string fallback, std::string help);
/// A whole number that the program finds for itself while it is `auto`.
[[nodiscard]] Option whole_or_auto(std::string name, std::optional<std::uint64_t>& target,
                                   Limits limits, std::string help);

/// Printed with as many digits as it takes to read back the same number.
template <std::floating_point Real>
[[nodiscard]] Option number(std::string name, Real& target, Range range, std::string help);

/// true|false
[[nodiscard]] Option boolean(std::string name, bool& target, std::string help);

/// An option without a value: given or not.
[[nodiscard]] Option flag(std::string name, bool& target, std::string help);

/// A key that knows one value so far.
[[nodiscard]] Option fixed(std::string name, const std::string& value, std::string help);

/// A path or word in one line: not empty, no control characters; ~/ begins with the home folder.
template <class Text>
[[nodiscard]] Option word(std::string name, std::string value_name, Text& target, std::string help);
[[nodiscard]] Option words(std::string name, std::string value_name,
                           std::vector<std::string>& target, std::string help);

/// Any text at all.
[[nodiscard]] Option text(std::string name, std::string value_name, std::string& target,
                          std::string help);

/// A value with a text form: `parse` makes an optional Value of a text, nullopt if the text is not
/// allowed; `parse` of a Value's name() gives the same Value.
template <class Value, class Parse>
[[nodiscard]] Option parsed(std::string name, std::string value_name, Value& target, Parse parse,
                            std::string takes, std::string help) {
  Option option{.name = std::move(name),
                .value_name = std::move(value_name),
                .takes = std::move(takes),
                .help = std::move(help)};
  option.set = [&target, parse](const std::string& text) {
    const std::optional<Value> value = parse(text);
    if (value) target = *value;
    return value.has_value();
  };
  option.get = [&target] { return std::optional<std::string>{target.name()}; };
  return option;
}

[[nodiscard]] Option required(Option option);
/// A row whose value each rank of a job may have for itself.
[[nodiscard]] Option own_to_a_rank(Option option);

/// What every choice has in common; `choice` adds the enumeration.
[[nodiscard]] Option choice_row(std::string name, const std::vector<std::string>& words,
                                std::string help);

/// One of `allowed`, by the words of its enumeration.
template <class Enum>
[[nodiscard]] Option choice(std::string name, Enum& target, std::vector<Enum> allowed,
                            std::string help) {
  std::vector<std::string> words;
  for (const Enum value : allowed) words.emplace_back(word_of(value));
  Option option = choice_row(std::move(name), words, std::move(help));
  option.set = [&target, allowed = std::move(allowed)](const std::string& text) {
    const std::optional<Enum> value = value_of<Enum>(text);
    const bool is_allowed =
        value && std::find(allowed.begin(), allowed.end(), *value) != allowed.end();
    if (is_allowed) target = *value;
    return is_allowed;
  };
  option.get = [&target] { return std::optional{std::string{word_of(target)}}; };
  return option;
}

/// One of all words of an enumeration.
template <class Enum>
[[nodiscard]] Option choice(std::string name, Enum& target, std::string help) {
  std::vector<Enum> all;
  for (const auto& row : names<Enum>()) all.push_back(row.value);
  return choice(std::move(name), target, std::move(all), std::move(help));
}

/// The same where nothing set stands for `fallback`.
template <class Enum>
[[nodiscard]] Option choice(std::string name, std::optional<Enum>& target, std::string fallback,
                            std::string help) {
  Enum unset{};  // gives the row its words; what it writes to is replaced below
  Option option = choice(std::move(name), unset, std::move(help));
  option.fallback = std::move(fallback);
  option.set = [&target](const std::string& text) {
    const std::optional<Enum> value = value_of<Enum>(text);
    if (value) target = value;
    return value.has_value();
  };
  option.get = [&target]() -> std::optional<std::string> {
    if (!target) return std::nullopt;
    return std::string{word_of(*target)};
  };
  return option;
}

}  // namespace ballast::option_row

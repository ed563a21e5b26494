#include "base/option_row.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/path_word.hpp"

namespace ballast {

std::string section_of(const Option& option) {
  const auto dot = option.name.find('.');
  return dot == std::string::npos ? std::string{} : option.name.substr(0, dot);
}

std::string key_of(const Option& option) { return option.name.substr(option.name.find('.') + 1); }

}  // namespace ballast

namespace ballast::option_row {

namespace {

template <class Number>
std::optional<Number> parse_all(const std::string& text) {
  Number value{};
  const char* const last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, value);
  if (error != std::errc{} || end != last) return std::nullopt;
  return value;
}

constexpr const char* kAuto = "auto";

std::string describe(Limits limits) {
  return limits.most == UINT64_MAX ? fmt::format("{} or more", limits.least)
                                   : fmt::format("{} to {}", limits.least, limits.most);
}

Option whole_row(std::string name, Limits limits, std::string help) {
  // A bound that only the type sets is no news in a help line.
  const Limits notable{limits.least, limits.most < UINT32_MAX ? limits.most : UINT64_MAX};
  return {.name = std::move(name),
          .value_name = "N",
          .takes = "a whole number, " + describe(limits),
          .note = describe(notable),
          .help = std::move(help)};
}

std::optional<std::uint64_t> parse_within(const std::string& text, Limits limits) {
  const auto value = parse_whole(text);
  const bool allowed = value && *value >= limits.least && *value <= limits.most;
  return allowed ? value : std::nullopt;
}

}  // namespace

std::optional<std::uint64_t> parse_whole(const std::string& text) {
  return parse_all<std::uint64_t>(text);
}

template <std::floating_point Real>
std::optional<Real> parse_number(const std::string& text) {
  const auto value = parse_all<Real>(text);
  return value && std::isfinite(*value) ? value : std::nullopt;
}

std::optional<std::string> parse_word(const std::string& text) {
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  if (text.empty() || std::any_of(text.begin(), text.end(), is_control)) return std::nullopt;
  return read_path_word(text);
}

Option whole(std::string name, std::uint64_t& target, Limits limits, std::string help) {
  Option option = whole_row(std::move(name), limits, std::move(help));
  option.set = [&target, limits](const std::string& text) {
    const auto value = parse_within(text, limits);
    if (value) target = *value;
    return value.has_value();
  };
  option.get = [&target] { return std::optional{fmt::format("{}", target)}; };
  return option;
}

Option whole(std::string name, std::optional<std::uint64_t>& target, Limits limits,
             std::string fallback, std::string help) {
  Option option = whole_row(std::move(name), limits, std::move(help));
  option.fallback = std::move(fallback);
  option.set = [&target, limits](const std::string& text) {
    const auto value = parse_within(text, limits);
    if (value) target = value;
    return value.has_value();
  };
  option.get = [&target] {
    return target ? std::optional{fmt::format("{}", *target)} : std::nullopt;
  };
  return option;
}

Option whole_or_auto(std::string name, std::optional<std::uint64_t>& target, Limits limits,
                     std::string help) {
  Option option = whole(std::move(name), target, limits, kAuto, std::move(help));
  option.value_name = fmt::format("{}|N", kAuto);
  option.takes = fmt::format("{}, or {}", kAuto, option.takes);
  option.set = [&target, set_number = option.set](const std::string& text) {
    if (text != kAuto) return set_number(text);
    target.reset();
    return true;
  };
  return option;
}

template <std::floating_point Real>
Option number(std::string name, Real& target, Range range, std::string help) {
  Option option{.name = std::move(name),
                .value_name = "X",
                .takes = fmt::format("a number {}", range.words),
                .note = std::string{range.words},
                .help = std::move(help)};
  option.set = [&target, range](const std::string& text) {
    const auto value = parse_number<Real>(text);
    if (!value || !range.holds(static_cast<double>(*value))) return false;
    target = *value;
    return true;
  };
  option.get = [&target] { return std::optional{fmt::format("{}", target)}; };
  return option;
}

Option choice_row(std::string name, const std::vector<std::string>& words, std::string help) {
  return {.name = std::move(name),
          .value_name = fmt::format("{}", fmt::join(words, "|")),
          .takes = words.size() == 1 ? fmt::format("only '{}' so far", words.front())
                                     : fmt::format("one of {}", fmt::join(words, ", ")),
          .help = std::move(help)};
}

Option boolean(std::string name, bool& target, std::string help) {
  return choice(std::move(name), target, std::move(help));
}

Option flag(std::string name, bool& target, std::string help) {
  Option option = boolean(std::move(name), target, std::move(help));
  option.arity = Arity::none;
  return option;
}

Option fixed(std::string name, std::string value, std::string help) {
  Option option = choice_row(std::move(name), {value}, std::move(help));
  option.set = [value](const std::string& text) { return text == value; };
  option.get = [value] { return std::optional{value}; };
  return option;
}

template <class Text>
Option word(std::string name, std::string value_name, Text& target, std::string help) {
  Option option{.name = std::move(name),
                .value_name = std::move(value_name),
                .takes = "a text in one line, not empty",
                .help = std::move(help)};
  option.set = [&target](const std::string& text) {
    const auto word = parse_word(text);
    if (word) target = *word;
    return word.has_value();
  };
  option.get = [&target]() -> std::optional<std::string> {
    if (target.empty()) return std::nullopt;
    if constexpr (std::is_same_v<Text, std::filesystem::path>)
      return target.string();
    else
      return target;
  };
  return option;
}

Option words(std::string name, std::string value_name, std::vector<std::string>& target,
             std::string help) {
  Option option{.name = std::move(name),
                .value_name = std::move(value_name),
                .takes = "texts in one line each, not empty",
                .help = std::move(help),
                .arity = Arity::many};
  option.set = [&target](const std::string& text) {
    const auto word = parse_word(text);
    if (word) target.push_back(*word);
    return word.has_value();
  };
  option.get = [&target]() -> std::optional<std::string> {
    if (target.empty()) return std::nullopt;
    return fmt::format("{}", fmt::join(target, " "));
  };
  return option;
}

Option text(std::string name, std::string value_name, std::string& target, std::string help) {
  Option option{.name = std::move(name),
                .value_name = std::move(value_name),
                .takes = "any text",
                .help = std::move(help)};
  option.set = [&target](const std::string& value) {
    target = value;
    return true;
  };
  option.get = [&target]() -> std::optional<std::string> {
    if (target.empty()) return std::nullopt;
    return target;
  };
  return option;
}

Option required(Option option) {
  option.presence = Presence::required;
  return option;
}

Option own_to_a_rank(Option option) {
  option.agreement = Agreement::own;
  return option;
}

template std::optional<float> parse_number<float>(const std::string&);
template std::optional<double> parse_number<double>(const std::string&);
template Option number(std::string, float&, Range, std::string);
template Option number(std::string, double&, Range, std::string);
template Option word(std::string, std::string, std::string&, std::string);
template Option word(std::string, std::string, std::filesystem::path&, std::string);

}  // namespace ballast::option_row

#include "base/option_row.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fmt/format.h>
#include <fmt/ranges.h>

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
  // A bound that comes from the type alone is not worth a place in the help.
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

Option fixed(std::string name, const std::string& value, std::string help) {
  Option option = choice_row(std::move(name), {value}, std::move(help));
  option.set = [value](const std::string& text) { return text == value; };
  option.get = [value] { return std::optional{value}; };
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

}  // namespace ballast::option_row

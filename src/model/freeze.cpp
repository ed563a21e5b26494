#include "model/freeze.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <fnmatch.h>

namespace ballast::model {

namespace {

constexpr std::string_view kNothing = "none";

}  // namespace

std::optional<Freeze> Freeze::parse(std::string_view text) {
  if (text == kNothing) return nothing();
  std::vector<std::string> patterns;
  for (;;) {
    const std::size_t comma = text.find(',');
    patterns.emplace_back(text.substr(0, comma));
    if (patterns.back().empty()) return std::nullopt;
    if (comma == std::string_view::npos) return Freeze{std::move(patterns)};
    text.remove_prefix(comma + 1);
  }
}

bool Freeze::holds(const std::string& tensor) const {
  return std::ranges::any_of(patterns_,
                             [&](const std::string& pattern) { return is_match(pattern, tensor); });
}

std::string Freeze::name() const {
  return patterns_.empty() ? std::string{kNothing} : fmt::format("{}", fmt::join(patterns_, ","));
}

bool is_match(const std::string& pattern, const std::string& tensor) {
  return fnmatch(pattern.c_str(), tensor.c_str(), 0) == 0;
}

}  // namespace ballast::model

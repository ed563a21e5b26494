#include "data/tokenizers/token_ids.hpp"

#include <algorithm>
#include <charconv>
#include <fmt/ranges.h>

#include "base/error.hpp"

namespace ballast::data {

namespace {

constexpr std::string_view kBetween = " \t\r\n";

}  // namespace

std::optional<std::vector<std::int32_t>> parse_token_ids(std::string_view text) {
  std::vector<std::int32_t> ids;
  for (auto at = text.find_first_not_of(kBetween); at != std::string_view::npos;
       at = text.find_first_not_of(kBetween)) {
    text.remove_prefix(at);
    const std::string_view word = text.substr(0, text.find_first_of(kBetween));
    std::int32_t id = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), id);
    if (error != std::errc{} || end != word.data() + word.size() || id < 0) return std::nullopt;
    ids.push_back(id);
    text.remove_prefix(word.size());
  }
  return ids;
}

std::string format_token_ids(std::span<const std::int32_t> ids) {
  return fmt::format("{}", fmt::join(ids, " "));
}

void require_token_ids(std::span<const std::int32_t> ids, std::size_t vocabulary,
                       std::string_view who) {
  const auto bad = std::ranges::find_if(
      ids, [&](std::int32_t id) { return static_cast<std::size_t>(id) >= vocabulary; });
  if (bad == ids.end()) return;
  throw usage_error("{}: token {} (number {} of {}) is not below the model's vocabulary of {}", who,
                    *bad, bad - ids.begin() + 1, ids.size(), vocabulary);
}

}  // namespace ballast::data

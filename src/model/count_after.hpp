#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>

namespace ballast::model {

/// The number N of a text "prefixN"; nothing if the text is anything else.
[[nodiscard]] inline std::optional<std::uint64_t> count_after(std::string_view prefix,
                                                              std::string_view text) {
  if (!text.starts_with(prefix)) return {};
  text.remove_prefix(prefix.size());
  std::uint64_t count = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, count);
  if (error != std::errc{} || stop != end) return {};
  return count;
}

}  // namespace ballast::model

#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace ballast {

/// The candidate with the smallest edit distance to `word`, or "" if none is
/// close enough (a third of the word's length, at least 2) to be a likely slip.
[[nodiscard]] std::string nearest(std::string_view word, std::span<const std::string> candidates);

/// 12345678 as "12,345,678".
[[nodiscard]] std::string with_thousands(std::uint64_t value);

/// Bytes for people: "512 B", "4.1 KiB", "3.0 GiB".
[[nodiscard]] std::string human_bytes(std::uint64_t bytes);

/// Seconds for people: "8 s", "3 min 05 s", "2 h 14 min".
[[nodiscard]] std::string human_duration(double seconds);

}  // namespace ballast

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace ballast {

/// The candidate with the smallest edit distance to `word`, or "" if none is
/// close enough (a third of the word's length, at least 2) to be a likely typing mistake, or if the
/// word is longer than any name.
[[nodiscard]] std::string nearest(std::string_view word, std::span<const std::string> candidates);

/// Bytes of input that a message quotes at most.
inline constexpr std::size_t kExcerptBytes = 80;

/// Input as a message quotes it: its first bytes, followed by "..." if there are more. Control
/// characters and bytes that are not UTF-8 are written as escapes ("\\n", "\\x1b"), so that a
/// message stays one line and sends the terminal nothing but text.
[[nodiscard]] std::string excerpt(std::string_view input, std::size_t most = kExcerptBytes);

/// 12345678 as "12,345,678".
[[nodiscard]] std::string with_thousands(std::uint64_t value);

/// Bytes for people: "512 B", "4.1 KiB", "3.0 GiB".
[[nodiscard]] std::string human_bytes(std::uint64_t bytes);

/// Seconds for people: "8 s", "3 min 05 s", "2 h 14 min".
[[nodiscard]] std::string human_duration(double seconds);

}  // namespace ballast

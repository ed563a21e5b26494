#pragma once

#include <string>
#include <string_view>

namespace ballast::data {

/// Unicode's normalization form C (UAX 15) of a well-formed UTF-8 text, by the tables of the
/// `tokenizers` package, which are of an older version: what Unicode added since stays as it is.
/// Takes time in proportion to the text, but for runs of marks, which are sorted.
[[nodiscard]] std::string nfc(std::string_view text);

/// Whether every character of `text` is one that NFC leaves alone wherever it stands: then
/// nfc(text) == text. False may mean either.
[[nodiscard]] bool is_surely_nfc(std::string_view text);

}  // namespace ballast::data

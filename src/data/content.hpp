#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace ballast::data {

/// How the content of a file can serve as text to train on.
enum class ContentKind {
  text,     ///< no other format is recognized; a NUL byte may still show that it is not text
  wrapped,  ///< text that has to be unpacked or converted first
  hdf5,     ///< perhaps a dataset of this program
  no_text   ///< a picture, a sound, a program
};

/// A file's format, as its first bytes show it.
struct Content {
  ContentKind kind = ContentKind::text;
  std::string_view name = {};    ///< "a gzip file"
  std::string_view remedy = {};  ///< how to get the text; {} stands for the file
};

/// Bytes at a file's start that `recognize` looks at; a shorter file has fewer.
inline constexpr std::size_t kHeadBytes = std::size_t{64} << 10;

/// Recognizes a format by the bytes at the start of a file, whatever the file is called.
[[nodiscard]] Content recognize(std::string_view head);

/// What to do with a file of this content, in words: "zcat 'a.gz' | ballast prepare - ...".
[[nodiscard]] std::string remedy_for(const Content& content, const std::string& file);

}  // namespace ballast::data

#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "formats/gguf/gguf_value.hpp"
#include "storage/byte_source.hpp"

namespace ballast::formats {

/// The most that is read of a file before its data: all tokens and merges of a tokenizer take some
/// 10 MB.
inline constexpr std::uint64_t kMostGgufHeaderBytes = 100'000'000;

/// Reads a GGUF file from front to back, up to its data. What the file claims is held against its
/// size before memory is taken for it. All errors are data Errors that name the byte.
class GgufCursor {
 public:
  /// `source` must outlive this.
  explicit GgufCursor(const storage::ByteSource& source) : source_{&source} {}

  /// The byte that is read next.
  [[nodiscard]] std::uint64_t at() const { return at_; }

  template <class Number>
  [[nodiscard]] Number number() {
    Number value;
    std::memcpy(&value, take(sizeof value), sizeof value);
    return value;
  }
  /// Of at most so many bytes; `what` it is, for messages: "a key".
  [[nodiscard]] std::string text(std::uint64_t most, std::string_view what);
  /// The number of a type and a value of it.
  [[nodiscard]] GgufValue value();
  /// A data Error if fewer than count · bytes_each bytes are left.
  void require(std::uint64_t count, std::uint64_t bytes_each, std::string_view what) const;

 private:
  /// The next bytes, few of them, which are valid until the next call.
  const std::uint8_t* take(std::size_t bytes);
  template <class Element>
  [[nodiscard]] Element element();
  template <class Element>
  [[nodiscard]] GgufArray array_of(std::uint64_t count);
  [[nodiscard]] GgufArray array();

  const storage::ByteSource* source_;
  std::uint64_t at_ = 0;
  std::vector<std::uint8_t> window_;  ///< bytes of the file from window_begin_ on
  std::uint64_t window_begin_ = 0;
};

}  // namespace ballast::formats

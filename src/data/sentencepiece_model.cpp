#include "data/sentencepiece_model.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>

#include "base/error.hpp"
#include "base/text.hpp"

namespace ballast::data {

namespace {

using Bytes = std::span<const std::uint8_t>;

/// The library takes some 250 bytes for a piece, and 30 for each byte of its text.
constexpr std::size_t kMostPieces = std::size_t{1} << 18;
constexpr std::size_t kMostPieceBytes = std::size_t{1} << 21;
constexpr std::size_t kLongestPiece = 1024;
constexpr std::size_t kLargestModel = std::size_t{32} << 20;

/// Fields of a message in Protocol Buffers' wire format.
namespace field {
constexpr std::uint64_t kPieces = 1;
constexpr std::uint64_t kNormalizer = 3;
constexpr std::uint64_t kDenormalizer = 5;
constexpr std::uint64_t kPieceText = 1;
constexpr std::uint64_t kNormalizerTables = 2;
}  // namespace field

struct Field {
  std::uint64_t number = 0;
  Bytes content;  ///< of texts and messages; empty of numbers
};

/// Takes a message apart, field by field, without going into those within it.
class Fields {
 public:
  explicit Fields(Bytes message) : left_{message} {}

  /// The next field; nothing at the end.
  [[nodiscard]] std::optional<Field> next() {
    if (left_.empty()) return std::nullopt;
    const std::uint64_t tag = number();
    Field found{tag >> 3, {}};
    switch (tag & 7) {
      case 0:
        (void)number();
        break;
      case 1:
        (void)take(8);
        break;
      case 2:
        found.content = take(number());
        break;
      case 5:
        (void)take(4);
        break;
      default:
        throw damaged();
    }
    return found;
  }

 private:
  static Error damaged() { return data_error("this is not a SentencePiece model"); }

  std::uint64_t number() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      const std::uint8_t byte = take(1)[0];
      value |= std::uint64_t{byte & 0x7fu} << shift;
      if (byte < 0x80) return value;
    }
    throw damaged();
  }

  Bytes take(std::uint64_t size) {
    if (size > left_.size()) throw damaged();
    const Bytes taken = left_.first(size);
    left_ = left_.subspan(size);
    return taken;
  }

  Bytes left_;
};

/// Bytes of text of a piece. The library's tables end at a NUL, and take no text without bytes.
std::size_t text_size(Bytes piece) {
  Bytes text;
  Fields fields{piece};
  while (const auto found = fields.next()) {
    if (found->number == field::kPieceText) text = found->content;
  }
  if (text.size() > kLongestPiece) {
    throw data_error("a piece of the SentencePiece model has {} bytes", text.size());
  }
  if (text.empty() || std::ranges::find(text, 0) != text.end()) {
    throw data_error("a piece of the SentencePiece model is empty or has a NUL");
  }
  return text.size();
}

void require_no_tables(Bytes normalizer) {
  Fields fields{normalizer};
  while (const auto found = fields.next()) {
    if (found->number == field::kNormalizerTables && !found->content.empty()) {
      throw data_error(
          "the SentencePiece model would not give a text back as it was: its normalizer changes "
          "text (train with --normalization_rule_name=identity)");
    }
  }
}

}  // namespace

void require_bounded_model(Bytes model) {
  if (model.size() > kLargestModel) {
    throw data_error("the SentencePiece model is larger than {}", human_bytes(kLargestModel));
  }
  std::size_t pieces = 0;
  std::size_t bytes = 0;
  Fields fields{model};
  while (const auto found = fields.next()) {
    if (found->number == field::kPieces) {
      ++pieces;
      bytes += text_size(found->content);
    }
    if (found->number == field::kNormalizer || found->number == field::kDenormalizer) {
      require_no_tables(found->content);
    }
  }
  if (pieces > kMostPieces || bytes > kMostPieceBytes) {
    throw data_error("the SentencePiece model has {} pieces of {}; the most is {} of {}", pieces,
                     human_bytes(bytes), kMostPieces, human_bytes(kMostPieceBytes));
  }
}

}  // namespace ballast::data

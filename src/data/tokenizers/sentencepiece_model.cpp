#include "data/tokenizers/sentencepiece_model.hpp"

#include <array>
#include <cstddef>
#include <cstring>
#include <optional>
#include <string_view>

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
constexpr std::uint64_t kTrainer = 2;
constexpr std::uint64_t kNormalizer = 3;
constexpr std::uint64_t kDenormalizer = 5;
constexpr std::uint64_t kPieceText = 1;
constexpr std::uint64_t kPieceScore = 2;
constexpr std::uint64_t kPieceType = 3;
constexpr std::uint64_t kTrainerKind = 3;
constexpr std::uint64_t kNormalizerTables = 2;
constexpr std::uint64_t kNormalizerPrefix = 3;
}  // namespace field

struct Field {
  std::uint64_t number = 0;
  std::uint64_t value = 0;  ///< of whole numbers
  Bytes content;            ///< of all others
};

/// Takes a message apart, field by field, without going into those within it.
class Fields {
 public:
  explicit Fields(Bytes message) : left_{message} {}

  /// The next field; nothing at the end.
  [[nodiscard]] std::optional<Field> next() {
    if (left_.empty()) return std::nullopt;
    const std::uint64_t tag = number();
    Field found{tag >> 3, 0, {}};
    switch (tag & 7) {
      case 0:
        found.value = number();
        break;
      case 1:
        found.content = take(8);
        break;
      case 2:
        found.content = take(number());
        break;
      case 5:
        found.content = take(4);
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

PieceKind kind_of(std::uint64_t type) {
  switch (type) {
    case 1:
      return PieceKind::normal;
    case 2:
      return PieceKind::unknown;
    case 3:
      return PieceKind::control;
    case 4:
      return PieceKind::user_defined;
    case 5:
      return PieceKind::unused;
    case 6:
      return PieceKind::byte;
    default:
      throw data_error("a piece of the SentencePiece model is of the unknown type {}", type);
  }
}

float score_of(Bytes content) {
  float score = 0;
  if (content.size() == sizeof(score)) std::memcpy(&score, content.data(), sizeof(score));
  return score;
}

/// The library's tables end at a NUL, and take no text without bytes.
void require_text(std::string_view text) {
  if (text.size() > kLongestPiece) {
    throw data_error("a piece of the SentencePiece model has {} bytes", text.size());
  }
  if (text.empty() || text.find('\0') != std::string_view::npos) {
    throw data_error("a piece of the SentencePiece model is empty or has a NUL");
  }
}

VocabularyEntry read_piece(Bytes message) {
  VocabularyEntry piece;
  Fields fields{message};
  while (const auto found = fields.next()) {
    const Bytes content = found->content;
    if (found->number == field::kPieceText) piece.text.assign(content.begin(), content.end());
    if (found->number == field::kPieceScore) piece.score = score_of(content);
    if (found->number == field::kPieceType) piece.kind = kind_of(found->value);
  }
  require_text(piece.text);
  return piece;
}

/// How the model was trained.
TokenizerKind kind_in(Bytes trainer) {
  std::uint64_t type = 1;
  Fields fields{trainer};
  while (const auto found = fields.next()) {
    if (found->number == field::kTrainerKind) type = found->value;
  }
  if (type == 1) return TokenizerKind::unigram;
  if (type == 2) return TokenizerKind::sentencepiece_bpe;
  throw data_error("the SentencePiece model is neither of byte pairs nor unigram (type {})", type);
}

/// Reads what a normalizer's message says of the space before a text.
void read_normalizer(Bytes normalizer, bool& adds_space_prefix) {
  Fields fields{normalizer};
  while (const auto found = fields.next()) {
    if (found->number == field::kNormalizerPrefix) adds_space_prefix = found->value != 0;
    if (found->number == field::kNormalizerTables && !found->content.empty()) {
      throw data_error(
          "the SentencePiece model would not give a text back as it was: its normalizer changes "
          "text (train with --normalization_rule_name=identity)");
    }
  }
}

}  // namespace

SentencePieceModel read_sentencepiece_model(Bytes model) {
  if (model.size() > kLargestModel) {
    throw data_error("the SentencePiece model is larger than {}", human_bytes(kLargestModel));
  }
  SentencePieceModel read;
  std::size_t bytes = 0;
  bool of_decoder = false;
  Fields fields{model};
  while (const auto found = fields.next()) {
    if (found->number == field::kPieces) {
      read.pieces.push_back(read_piece(found->content));
      bytes += read.pieces.back().text.size();
    }
    if (found->number == field::kTrainer) read.kind = kind_in(found->content);
    if (found->number == field::kNormalizer) {
      read_normalizer(found->content, read.adds_space_prefix);
    }
    if (found->number == field::kDenormalizer) read_normalizer(found->content, of_decoder);
    if (read.pieces.size() > kMostPieces || bytes > kMostPieceBytes) {
      throw data_error("the SentencePiece model has {} pieces of {}; the most is {} of {}",
                       read.pieces.size(), human_bytes(bytes), kMostPieces,
                       human_bytes(kMostPieceBytes));
    }
  }
  return read;
}

std::vector<std::uint8_t> without_space_prefix(Bytes model) {
  std::vector<std::uint8_t> changed{model.begin(), model.end()};
  // Of two messages for one field, what the second says goes on top of the first: here a
  // normalizer_spec of two bytes, whose add_dummy_prefix is false.
  constexpr std::array<std::uint8_t, 4> kNoPrefix{field::kNormalizer << 3 | 2, 2,
                                                  field::kNormalizerPrefix << 3, 0};
  changed.insert(changed.end(), kNoPrefix.begin(), kNoPrefix.end());
  return changed;
}

}  // namespace ballast::data

#include <bit>
#include <string>
#include <string_view>

#include "base/checked_cast.hpp"
#include "data/tokenizers/sentencepiece_model.hpp"

namespace ballast::data {

namespace {

/// A message in Protocol Buffers' wire format.
class Message {
 public:
  void add(std::uint64_t field, std::uint64_t value) {
    number(field << 3);
    number(value);
  }
  void add(std::uint64_t field, std::string_view content) {
    number(field << 3 | 2);
    number(content.size());
    bytes_ += content;
  }
  void add(std::uint64_t field, float value) {
    number(field << 3 | 5);
    const auto bits = std::bit_cast<std::uint32_t>(value);
    for (unsigned shift = 0; shift < 32; shift += 8) bytes_ += static_cast<char>(bits >> shift);
  }
  [[nodiscard]] const std::string& bytes() const { return bytes_; }

 private:
  void number(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) bytes_ += static_cast<char>(value | 0x80);
    bytes_ += static_cast<char>(value);
  }

  std::string bytes_;
};

std::string piece_bytes(const VocabularyEntry& piece) {
  Message message;
  message.add(1, std::string_view{piece.text});
  message.add(2, piece.score);
  message.add(3, static_cast<std::uint64_t>(piece.kind) + 1);
  return message.bytes();
}

/// TrainerSpec: what the library reads of it when it encodes. An id of -1 is written as all such
/// numbers are, in 64 bits.
std::string trainer_bytes(TokenizerKind kind, const SentencePieceIds& ids) {
  const auto id = [](std::int32_t value) {
    return static_cast<std::uint64_t>(static_cast<std::int64_t>(value));
  };
  Message message;
  message.add(3, std::uint64_t{kind == TokenizerKind::unigram ? 1u : 2u});
  message.add(35, std::uint64_t{1});  // byte_fallback
  message.add(40, id(ids.unknown));
  message.add(41, id(ids.bos));
  message.add(42, id(ids.eos));
  message.add(43, id(-1));  // padding
  return message.bytes();
}

std::string normalizer_bytes(bool adds_space_prefix) {
  Message message;
  message.add(1, std::string_view{"identity"});
  message.add(3, std::uint64_t{adds_space_prefix ? 1u : 0u});
  message.add(4, std::uint64_t{0});  // remove_extra_whitespaces
  message.add(5, std::uint64_t{1});  // escape_whitespaces
  return message.bytes();
}

}  // namespace

std::vector<std::uint8_t> sentencepiece_model_bytes(const SentencePieceModel& model,
                                                    const SentencePieceIds& ids) {
  Message message;
  for (const VocabularyEntry& piece : model.pieces) {
    message.add(1, std::string_view{piece_bytes(piece)});
  }
  message.add(2, std::string_view{trainer_bytes(model.kind, ids)});
  message.add(3, std::string_view{normalizer_bytes(model.adds_space_prefix)});
  const std::string& bytes = message.bytes();
  return {bytes.begin(), bytes.end()};
}

}  // namespace ballast::data

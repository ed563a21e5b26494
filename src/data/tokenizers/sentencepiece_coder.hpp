#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <sentencepiece_processor.h>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "data/tokenizers/sentencepiece_model.hpp"

namespace ballast::data {

/// What SentencePiece computes, without a space before each text and word by word where that is the
/// same: most words come again and again, and the library takes its time.
class SentencePieceCoder {
 public:
  explicit SentencePieceCoder(std::span<const std::uint8_t> model);

  [[nodiscard]] const SentencePieceModel& model() const { return model_; }
  [[nodiscard]] std::int32_t bos() const { return processor_.bos_id(); }
  [[nodiscard]] std::int32_t eos() const { return processor_.eos_id(); }
  [[nodiscard]] std::int32_t byte_id(char byte) const {
    return byte_ids_[static_cast<unsigned char>(byte)];
  }
  /// The bytes that a token stands for; a data Error where there is no such token.
  [[nodiscard]] const std::string& raw(std::int32_t id) const;
  [[nodiscard]] std::string decode(std::span<const std::int32_t> ids) const;
  void append(std::string_view text, std::vector<std::int32_t>& ids) const;
  /// As Tokenizer::cut.
  [[nodiscard]] std::size_t cut(std::string_view text) const;
  /// The last such place that is not behind `limit`; 0: there is none.
  [[nodiscard]] std::size_t cut_within(std::string_view text, std::size_t limit) const;
  [[nodiscard]] bool gives_back(std::string_view text) const;

 private:
  [[nodiscard]] bool load(const std::vector<std::uint8_t>& serialized);
  void read_pieces();
  void note_neighbors(std::string_view piece);
  [[nodiscard]] std::vector<std::int32_t> run(std::string_view text) const;
  void append_words(std::string_view text, std::vector<std::int32_t>& ids) const;

  SentencePieceModel model_;
  sentencepiece::SentencePieceProcessor processor_;
  std::vector<std::string> raw_;  ///< by id
  std::array<std::int32_t, 256> byte_ids_{};
  /// Characters that follow each other in a piece: nothing is merged between two others.
  std::unordered_set<std::uint64_t> neighbors_;
  bool words_stand_alone_ = true;  ///< no piece reaches over a word's start or a line's end
  mutable std::unordered_map<std::string, std::vector<std::int32_t>> words_;
};

}  // namespace ballast::data

#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "data/bpe/bpe_model.hpp"
#include "data/bpe/merges.hpp"
#include "data/bpe/piece_cache.hpp"

namespace ballast::data {

/// The tokens of one piece of text, as the pre-tokenizer cuts it.
class PieceEncoder {
 public:
  explicit PieceEncoder(const BpeModel& model);

  /// Appends the tokens of `piece`, any bytes. Not for two threads at once: it remembers pieces.
  void append(std::string_view piece, std::vector<std::int32_t>& tokens);

  static constexpr std::int32_t kNoToken = -1;

 private:
  void encode(std::string_view piece);

  Merges merges_;
  std::array<std::int32_t, 256> byte_tokens_{};                 ///< kNoToken: none
  std::unordered_map<std::string, std::int32_t> whole_pieces_;  ///< empty where they are merged
  PieceCache cache_;
  std::vector<std::int32_t> merged_;  ///< of the piece at hand
};

}  // namespace ballast::data

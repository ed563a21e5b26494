#include "data/bpe/piece_encoder.hpp"

#include "data/bpe/byte_map.hpp"

namespace ballast::data {

PieceEncoder::PieceEncoder(const BpeModel& model) : merges_{model.merges, model.pieces.size()} {
  byte_tokens_.fill(model.missing_byte.value_or(kNoToken));
  for (std::size_t id = 0; id < model.pieces.size(); ++id) {
    const Piece& piece = model.pieces[id];
    if (piece.kind == PieceKind::unused || piece.origin != PieceOrigin::vocabulary) continue;
    const auto bytes = from_byte_map(piece.text);
    if (!bytes) continue;
    const auto token = static_cast<std::int32_t>(id);
    if (bytes->size() == 1) byte_tokens_[static_cast<unsigned char>(bytes->front())] = token;
    if (model.whole_pieces == WholePieces::taken) whole_pieces_.emplace(*bytes, token);
  }
}

void PieceEncoder::append(std::string_view piece, std::vector<std::int32_t>& tokens) {
  if (const auto known = cache_.find(piece)) {
    tokens.insert(tokens.end(), known->begin(), known->end());
    return;
  }
  encode(piece);
  cache_.keep(piece, merged_);
  tokens.insert(tokens.end(), merged_.begin(), merged_.end());
}

void PieceEncoder::encode(std::string_view piece) {
  merged_.clear();
  if (!whole_pieces_.empty()) {
    if (const auto whole = whole_pieces_.find(std::string{piece}); whole != whole_pieces_.end()) {
      merged_.push_back(whole->second);
      return;
    }
  }
  for (const char byte : piece) {
    const std::int32_t token = byte_tokens_[static_cast<unsigned char>(byte)];
    if (token != kNoToken) merged_.push_back(token);
  }
  merges_.apply(merged_);
}

}  // namespace ballast::data

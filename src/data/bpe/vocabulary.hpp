#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "data/bpe/json_fields.hpp"
#include "data/bpe/piece.hpp"

namespace ballast::data {

/// Pieces and their ids while a tokenizer.json is read.
class Vocabulary {
 public:
  /// From `model.vocab`. Throws a data Error that names a piece whose id is no number, too large or
  /// another one's.
  explicit Vocabulary(const JsonFields& model);

  [[nodiscard]] std::optional<std::int32_t> find(std::string_view piece) const;
  /// Takes in an added token. Its id is the one that model.vocab has for it, else the next one:
  /// throws a data Error if the file's `id` is another one.
  std::int32_t add(const std::string& content, PieceKind kind, std::uint64_t id);
  /// All pieces by id. The object has none any more.
  [[nodiscard]] std::vector<Piece> take_pieces();

 private:
  void put(const std::string& piece, std::uint64_t id, PieceOrigin origin);

  std::vector<Piece> pieces_;
  std::unordered_map<std::string, std::int32_t> ids_;
  std::size_t most_ids_ = 0;
  std::size_t next_ = 0;  ///< the id of an added token that model.vocab has not
};

}  // namespace ballast::data

#include "data/bpe/vocabulary.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "base/text.hpp"

namespace ballast::data {

namespace {

/// Besides as many as there are tokens. Each takes memory, though the file need not name it.
constexpr std::size_t kMostIdsWithoutToken = std::size_t{1} << 16;

}  // namespace

Vocabulary::Vocabulary(const JsonFields& model) {
  const JsonFields list = model.object("vocab");
  ids_.reserve(list.all().size());
  pieces_.reserve(list.all().size());
  most_ids_ = 2 * list.all().size() + kMostIdsWithoutToken;
  for (const auto& [piece, id] : list.all().items()) {
    put(piece, whole_number(id, fmt::format("the id of '{}' in model.vocab", excerpt(piece))),
        PieceOrigin::vocabulary);
  }
  next_ = ids_.size();
}

void Vocabulary::put(const std::string& piece, std::uint64_t id, PieceOrigin origin) {
  if (id >= std::min(kLargestBpeVocabulary, most_ids_)) {
    throw data_error(
        "the id {} of '{}' is beyond the largest vocabulary, {}, or far beyond the "
        "number of tokens",
        id, excerpt(piece), kLargestBpeVocabulary);
  }
  if (id >= pieces_.size()) pieces_.resize(id + 1);
  Piece& place = pieces_[id];
  if (place.kind != PieceKind::unused) {
    throw data_error("'{}' and '{}' have the same id, {}", excerpt(place.text), excerpt(piece), id);
  }
  place = {piece, PieceKind::normal, origin};
  ids_.emplace(piece, static_cast<std::int32_t>(id));
}

std::optional<std::int32_t> Vocabulary::find(std::string_view piece) const {
  const auto found = ids_.find(std::string{piece});
  if (found == ids_.end()) return std::nullopt;
  return found->second;
}

std::int32_t Vocabulary::add(const std::string& content, PieceKind kind, std::uint64_t id) {
  const auto known = find(content);
  const std::uint64_t given = known ? static_cast<std::uint64_t>(*known) : next_;
  if (given != id) {
    throw data_error(
        "the added token '{}' has the id {}, but the tokenizers package would give it {}: {}",
        excerpt(content), id, given,
        known ? "that is its id in model.vocab" : "it numbers added tokens by their order");
  }
  if (!known) {
    put(content, id, PieceOrigin::added_tokens);
    ++next_;
  }
  pieces_[id].kind = kind;
  return static_cast<std::int32_t>(id);
}

std::vector<Piece> Vocabulary::take_pieces() {
  ids_.clear();
  return std::move(pieces_);
}

}  // namespace ballast::data

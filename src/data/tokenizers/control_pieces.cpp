#include "data/tokenizers/control_pieces.hpp"

#include <algorithm>

namespace ballast::data {

ControlPieces::ControlPieces(std::span<const VocabularyEntry> entries) {
  for (std::size_t id = 0; id < entries.size(); ++id) {
    const VocabularyEntry& piece = entries[id];
    if (piece.kind != PieceKind::control) continue;
    const auto first = static_cast<unsigned char>(piece.text.front());
    longest_ = std::max(longest_, piece.text.size());
    by_first_byte_[first].emplace_back(piece.text, static_cast<std::int32_t>(id));
  }
  for (auto& controls : by_first_byte_) {
    std::ranges::stable_sort(controls, std::ranges::greater{},
                             [](const Control& control) { return control.first.size(); });
  }
}

ControlPieces::Place ControlPieces::find(std::string_view text) const {
  for (std::size_t at = 0; at < text.size(); ++at) {
    for (const auto& [control, id] : by_first_byte_[static_cast<unsigned char>(text[at])]) {
      if (text.substr(at).starts_with(control)) return {at, control.size(), id};
    }
  }
  return {text.size(), 0, -1};
}

bool ControlPieces::any_across(std::string_view text, std::size_t place) const {
  const std::size_t first = place - std::min(place, longest_);
  for (std::size_t at = first; at < place; ++at) {
    const Place found = find(text.substr(at, longest_));
    if (found.size > 0 && at + found.at < place && at + found.at + found.size >= place) return true;
  }
  return false;
}

}  // namespace ballast::data

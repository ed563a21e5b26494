#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "data/vocabulary/tokenizer_content.hpp"

namespace ballast::data {

/// Finds the control pieces of a vocabulary in texts: "<s>", "[INST]".
class ControlPieces {
 public:
  explicit ControlPieces(std::span<const VocabularyEntry> entries);

  /// Where the next one is in a text, and which; the longest of those that begin there. At the
  /// text's end and of size 0 where there is none.
  struct Place {
    std::size_t at = 0;
    std::size_t size = 0;
    std::int32_t id = -1;
  };
  [[nodiscard]] Place find(std::string_view text) const;
  /// Whether one begins before a place of a text and ends behind it or there.
  [[nodiscard]] bool any_across(std::string_view text, std::size_t place) const;

 private:
  using Control = std::pair<std::string, std::int32_t>;

  std::array<std::vector<Control>, 256> by_first_byte_;  ///< the longest first
  std::size_t longest_ = 0;                              ///< bytes
};

}  // namespace ballast::data

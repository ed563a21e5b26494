#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "data/split_router.hpp"

namespace ballast::data {

/// Bytes of text to train a tokenizer on: more hardly changes the vocabulary, but costs memory.
inline constexpr std::uint64_t kTrainingBytes = std::uint64_t{32} << 20;

/// Keeps training text: of a large corpus, pieces that are spread evenly.
class TrainingSample final : public SegmentSink {
 public:
  explicit TrainingSample(std::uint64_t corpus_bytes) : corpus_bytes_{corpus_bytes} {}

  void begin_segment(Split split) override {
    split_ = split;
    text_ += '\n';
  }
  void continue_segment(Split split) override { split_ = split; }
  void begin_document(float) override { text_ += '\n'; }
  void text(std::string_view piece) override {
    const double seen = static_cast<double>(seen_) / static_cast<double>(corpus_bytes_);
    const bool wanted = corpus_bytes_ <= kTrainingBytes ||
                        static_cast<double>(text_.size()) <=
                            seen * static_cast<double>(kTrainingBytes - piece.size());
    if (split_ == Split::train && wanted) text_ += piece;
    seen_ += piece.size();
  }

  /// No vocabulary can be learned of them.
  void ids(std::span<const std::int32_t>) override {}

  [[nodiscard]] bool empty() const { return text_.find_first_not_of('\n') == std::string::npos; }
  /// The text, and lines of a space if it has so few spaces that the trainer would learn none (it
  /// ignores the rarest 0.05% of the characters): every tokenizer must give back spaces.
  [[nodiscard]] std::string take() {
    const auto spaces = static_cast<std::size_t>(std::ranges::count(text_, ' '));
    const std::size_t missing = spaces * 2000 > text_.size() ? 0 : text_.size() / 1000 + 1;
    for (std::size_t i = 0; i < missing; ++i) text_ += "\n ";
    return std::move(text_);
  }

 private:
  std::uint64_t corpus_bytes_;
  std::uint64_t seen_ = 0;
  Split split_ = Split::train;
  std::string text_;
};

}  // namespace ballast::data

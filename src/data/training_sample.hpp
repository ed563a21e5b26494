#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "data/split.hpp"

namespace ballast::data {

/// Text that a tokenizer is trained on: more changes the vocabulary little and costs memory.
inline constexpr std::uint64_t kTrainingBytes = std::uint64_t{32} << 20;

/// Keeps training text, of a large corpus pieces spread evenly.
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

  [[nodiscard]] std::string take() { return std::move(text_); }

 private:
  std::uint64_t corpus_bytes_;
  std::uint64_t seen_ = 0;
  Split split_ = Split::train;
  std::string text_;
};

}  // namespace ballast::data

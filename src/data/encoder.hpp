#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "data/dataset_writer.hpp"
#include "data/split_router.hpp"
#include "data/tokenizers/tokenizer.hpp"

namespace ballast::data {

enum class DocumentMarks {
  none,
  starts,  ///< the place of each document's first token in the dataset's documents
  token    ///< the same, and that token is the tokenizer's document_mark()
};

/// Turns segments of text into tokens of a dataset, a piece of limited size at a time; the tokens
/// of a document's part in a segment equal those of `encode` on the whole part. Token ids stay as
/// they are.
class Encoder final : public SegmentSink {
 public:
  Encoder(const Tokenizer& tokenizer, DocumentMarks marks, DatasetWriter& writer);

  void begin_segment(Split split) override;
  void continue_segment(Split split) override;
  void begin_document(float weight) override;
  void text(std::string_view piece) override;
  void ids(std::span<const std::int32_t> piece) override { append(piece); }
  /// Encodes what is left.
  void finish() { encode_all(); }
  /// Tokens of the longest segment to train on.
  [[nodiscard]] std::uint64_t longest_train_segment() const { return longest_; }

 private:
  void encode_all();
  void encode(std::string_view text);
  void append(std::span<const std::int32_t> tokens);

  const Tokenizer& tokenizer_;
  DocumentMarks marks_;
  DatasetWriter& writer_;
  std::string pending_;
  TextPart part_ = TextPart::beginning;  ///< what pending_ is of its document's segment
  Split split_ = Split::train;
  float weight_ = 1.0f;
  std::uint64_t train_segment_ = 0;  ///< tokens of the last one so far
  std::uint64_t longest_ = 0;
};

}  // namespace ballast::data

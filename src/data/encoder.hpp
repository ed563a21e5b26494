#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/team.hpp"
#include "data/dataset_writer.hpp"
#include "data/split_router.hpp"
#include "data/tokenizers/tokenizer.hpp"

namespace ballast::data {

enum class DocumentMarks {
  none,
  starts,  ///< the place of each document's first token in the dataset's documents
  token    ///< the same, and that token is the tokenizer's document_mark()
};

/// Turns segments of text into tokens of a dataset, in parts of limited size; the tokens of a
/// document's part in a segment equal those of `encode` on the whole part. Token ids stay as they
/// are. Parts wait until there are enough for all threads of a team; the dataset is the same with
/// any number of them.
class Encoder final : public SegmentSink {
 public:
  /// All must outlive this.
  Encoder(const Tokenizer& tokenizer, DocumentMarks marks, DatasetWriter& writer, Team& team);

  void begin_segment(Split split) override;
  void continue_segment(Split split) override;
  void begin_document(float weight) override;
  void text(std::string_view piece) override;
  void ids(std::span<const std::int32_t> piece) override;
  /// Encodes and writes what is left.
  void finish();
  /// Tokens of the longest segment to train on.
  [[nodiscard]] std::uint64_t longest_train_segment() const { return longest_; }

 private:
  /// What is to be written, in the order of the dataset.
  struct Step {
    enum class Kind { segment, document, text, tokens } kind;
    Split split;
    float weight;
    TextPart part = TextPart::beginning;
    std::string text{};
    std::vector<std::int32_t> tokens{};  ///< of a text: its tokens, once it is encoded
  };

  [[nodiscard]] const Tokenizer& tokenizer_of(std::size_t worker) const;
  void queue(Step step);
  void queue_text(std::string_view text);
  void end_text();
  void write_queued();
  void write(const Step& step);

  const Tokenizer& tokenizer_;
  std::vector<std::unique_ptr<Tokenizer>> twins_;  ///< of the team's other workers
  DocumentMarks marks_;
  DatasetWriter& writer_;
  Team& team_;
  std::vector<Step> queued_;
  std::size_t queued_bytes_ = 0;
  std::string pending_;
  TextPart part_ = TextPart::beginning;  ///< what pending_ is of its document's segment
  Split split_ = Split::train;
  float weight_ = 1.0f;
  std::uint64_t train_segment_ = 0;  ///< tokens of the last one so far
  std::uint64_t longest_ = 0;
};

}  // namespace ballast::data

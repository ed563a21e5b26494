#include "data/encoder.hpp"

#include <algorithm>
#include <utility>

#include "base/error.hpp"

namespace ballast::data {

namespace {

/// Of a text in which the tokenizer finds no place to cut: such a text is no language.
constexpr std::size_t kMostPending = std::size_t{16} << 20;
/// What waits for each worker, so that none of them runs out of work before the others do.
constexpr std::size_t kQueuedBytes = std::size_t{256} << 10;

}  // namespace

Encoder::Encoder(const Tokenizer& tokenizer, DocumentMarks marks, DatasetWriter& writer, Team& team)
    : tokenizer_{tokenizer}, marks_{marks}, writer_{writer}, team_{team} {
  if (marks == DocumentMarks::token && tokenizer.document_mark() < 0) {
    throw data_error(
        "the tokenizer has no token that begins or ends a text to mark documents with: --join "
        "'\\n' puts a line's end between them");
  }
  while (twins_.size() + 1 < team.workers()) twins_.push_back(tokenizer.twin());
}

const Tokenizer& Encoder::tokenizer_of(std::size_t worker) const {
  return worker == 0 ? tokenizer_ : *twins_[worker - 1];
}

void Encoder::begin_segment(Split split) {
  end_text();
  split_ = split;
  queue({Step::Kind::segment, split, weight_});
}

void Encoder::continue_segment(Split split) {
  end_text();
  part_ = TextPart::continuation;
  split_ = split;
}

void Encoder::begin_document(float weight) {
  end_text();
  weight_ = weight;
  if (marks_ == DocumentMarks::none) return;
  queue({Step::Kind::document, split_, weight_});
  if (marks_ != DocumentMarks::token) return;
  Step mark{Step::Kind::tokens, split_, weight_};
  mark.tokens = {tokenizer_.document_mark()};
  queue(std::move(mark));
}

void Encoder::text(std::string_view piece) {
  pending_ += piece;
  std::string_view rest = pending_;
  while (rest.size() > kEncodeBytes) {
    std::size_t cut = tokenizer_.cut(rest);
    if (cut == 0 && rest.size() < kMostPending) break;
    if (cut == 0) cut = encoding_cut(rest, kMostPending);
    queue_text(rest.substr(0, cut));
    rest.remove_prefix(cut);
  }
  pending_.erase(0, pending_.size() - rest.size());
}

void Encoder::ids(std::span<const std::int32_t> piece) {
  Step step{Step::Kind::tokens, split_, weight_};
  step.tokens.assign(piece.begin(), piece.end());
  queue(std::move(step));
}

void Encoder::finish() {
  end_text();
  write_queued();
}

void Encoder::end_text() {
  if (!pending_.empty()) queue_text(pending_);
  pending_.clear();
  part_ = TextPart::beginning;
}

void Encoder::queue_text(std::string_view text) {
  Step step{Step::Kind::text, split_, weight_};
  step.part = std::exchange(part_, TextPart::continuation);
  step.text = text;
  queue(std::move(step));
}

void Encoder::queue(Step step) {
  queued_bytes_ += sizeof(Step) + step.text.size() + step.tokens.size() * sizeof(std::int32_t);
  queued_.push_back(std::move(step));
  if (queued_bytes_ >= kQueuedBytes * team_.workers()) write_queued();
}

void Encoder::write_queued() {
  team_.run(queued_.size(), [&](std::size_t task, std::size_t worker) {
    Step& step = queued_[task];
    if (step.kind != Step::Kind::text) return;
    step.tokens = tokenizer_of(worker).encode_part(step.text, step.part);
  });
  for (const Step& step : queued_) write(step);
  queued_.clear();
  queued_bytes_ = 0;
}

void Encoder::write(const Step& step) {
  switch (step.kind) {
    case Step::Kind::segment:
      if (step.split == Split::train) train_segment_ = 0;
      return writer_.begin_segment(step.split);
    case Step::Kind::document:
      return writer_.begin_document(step.split);
    case Step::Kind::text:
    case Step::Kind::tokens:
      writer_.append(step.split, step.tokens, step.weight);
      if (step.split != Split::train) return;
      train_segment_ += step.tokens.size();
      longest_ = std::max(longest_, train_segment_);
      return;
  }
  throw internal_error("unknown step of an encoder");
}

}  // namespace ballast::data

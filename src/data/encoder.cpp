#include "data/encoder.hpp"

#include <algorithm>
#include <array>

#include "base/error.hpp"

namespace ballast::data {

namespace {

/// Of a text in which the tokenizer finds no place to cut: such a text is no language.
constexpr std::size_t kMostPending = std::size_t{16} << 20;

}  // namespace

Encoder::Encoder(const Tokenizer& tokenizer, DocumentMarks marks, DatasetWriter& writer)
    : tokenizer_{tokenizer}, marks_{marks}, writer_{writer} {
  if (marks == DocumentMarks::token && tokenizer.document_mark() < 0) {
    throw data_error(
        "the tokenizer has no token that begins or ends a text to mark documents with: --join "
        "'\\n' puts a line's end between them");
  }
}

void Encoder::begin_segment(Split split) {
  encode_all();
  split_ = split;
  if (split == Split::train) train_segment_ = 0;
  writer_.begin_segment(split);
}

void Encoder::continue_segment(Split split) {
  encode_all();
  part_ = TextPart::continuation;
  split_ = split;
}

void Encoder::begin_document(float weight) {
  encode_all();
  weight_ = weight;
  if (marks_ == DocumentMarks::none) return;
  writer_.begin_document(split_);
  if (marks_ == DocumentMarks::token) append(std::array{tokenizer_.document_mark()});
}

void Encoder::text(std::string_view piece) {
  pending_ += piece;
  std::string_view rest = pending_;
  while (rest.size() > kEncodeBytes) {
    std::size_t cut = tokenizer_.cut(rest);
    if (cut == 0 && rest.size() < kMostPending) break;
    if (cut == 0) cut = encoding_cut(rest, kMostPending);
    encode(rest.substr(0, cut));
    rest.remove_prefix(cut);
  }
  pending_.erase(0, pending_.size() - rest.size());
}

void Encoder::encode(std::string_view text) {
  append(tokenizer_.encode_part(text, part_));
  part_ = TextPart::continuation;
}

void Encoder::append(std::span<const std::int32_t> tokens) {
  writer_.append(split_, tokens, weight_);
  if (split_ != Split::train) return;
  train_segment_ += tokens.size();
  longest_ = std::max(longest_, train_segment_);
}

void Encoder::encode_all() {
  if (!pending_.empty()) encode(pending_);
  pending_.clear();
  part_ = TextPart::beginning;
}

}  // namespace ballast::data

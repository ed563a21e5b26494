#include "data/encoder.hpp"

#include <array>

#include "base/error.hpp"

namespace ballast::data {

Encoder::Encoder(const Tokenizer& tokenizer, DocumentMarks marks, DatasetWriter& writer)
    : tokenizer_{tokenizer}, marks_{marks}, writer_{writer} {
  if (marks == DocumentMarks::bos && tokenizer.bos() < 0) {
    throw data_error("the tokenizer has no <bos> token to mark documents with");
  }
}

void Encoder::begin_segment(Split split) {
  encode_all();
  split_ = split;
  writer_.begin_segment(split);
}

void Encoder::begin_document(float weight) {
  encode_all();
  weight_ = weight;
  if (marks_ == DocumentMarks::none) return;
  writer_.begin_document(split_);
  writer_.append(split_, std::array{tokenizer_.bos()}, weight_);
}

void Encoder::text(std::string_view piece) {
  pending_ += piece;
  std::string_view rest = pending_;
  while (rest.size() > kEncodeBytes) {
    const std::size_t cut = encoding_cut(rest);
    writer_.append(split_, tokenizer_.encode(rest.substr(0, cut)), weight_);
    rest.remove_prefix(cut);
  }
  pending_.erase(0, pending_.size() - rest.size());
}

void Encoder::encode_all() {
  writer_.append(split_, tokenizer_.encode(pending_), weight_);
  pending_.clear();
}

}  // namespace ballast::data

#pragma once

#include <cstdint>
#include <string_view>

#include "data/tokenizers/tokenizer.hpp"
#include "train/offline/text_stream.hpp"

namespace ballast::train {

/// Turns tokens into text for people as they come, or, without a tokenizer, into their ids with
/// blanks between them.
class TokenStream {
 public:
  /// `tokenizer` may be null. Both must outlive this.
  TokenStream(const data::Tokenizer* tokenizer, const TextStream::Emit& emit)
      : tokenizer_{tokenizer}, emit_{&emit}, text_{emit} {}

  void add(std::int32_t token);
  /// No more tokens follow.
  void finish() { text_.finish(); }

 private:
  const data::Tokenizer* tokenizer_;
  const TextStream::Emit* emit_;
  TextStream text_;
  std::string_view between_ = "";
};

}  // namespace ballast::train

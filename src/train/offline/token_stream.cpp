#include "train/offline/token_stream.hpp"

#include <fmt/format.h>
#include <span>

namespace ballast::train {

void TokenStream::add(std::int32_t token) {
  if (tokenizer_ != nullptr) return text_.add(tokenizer_->decode(std::span{&token, 1}));
  (*emit_)(fmt::format("{}{}", between_, token));
  between_ = " ";
}

}  // namespace ballast::train

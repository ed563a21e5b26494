#include "train/offline/text_stream.hpp"

#include "data/unicode/utf8.hpp"

namespace ballast::train {

namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

}  // namespace

void TextStream::add(std::string_view piece) {
  pending_ += piece;
  std::string ready;
  while (!pending_.empty()) {
    const auto check = data::check_utf8(pending_);
    ready.append(pending_, 0, check.valid);
    pending_.erase(0, check.valid);
    if (check.unfinished || pending_.empty()) break;
    ready += kReplacement;
    pending_.erase(0, 1);
  }
  if (!ready.empty()) (*emit_)(ready);
}

void TextStream::finish() {
  if (!pending_.empty()) (*emit_)(kReplacement);
  pending_.clear();
}

}  // namespace ballast::train

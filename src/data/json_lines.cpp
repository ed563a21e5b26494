#include "data/json_lines.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

namespace ballast::data {

namespace {

constexpr std::size_t kLongestLine = std::size_t{64} << 20;

}  // namespace

void JsonLines::take(std::string_view piece) {
  for (auto end = piece.find('\n'); end != std::string_view::npos; end = piece.find('\n')) {
    add(piece.substr(0, end));
    finish_line();
    piece.remove_prefix(end + 1);
  }
  add(piece);
}

void JsonLines::add(std::string_view part) {
  if (too_long_) return;
  line_ += part;
  if (line_.size() <= kLongestLine) return;
  too_long_ = true;
  line_ = {};  // gives the memory back, too
  complain(fmt::format("longer than {}", human_bytes(kLongestLine)));
}

void JsonLines::finish_line() {
  if (rules_.kind == TextKind::ids) {
    pass_ids();
  } else {
    pass_text();
  }
  line_.clear();
  too_long_ = false;
  ++number_;
}

template <class Parse>
auto JsonLines::read_line(Parse&& parse) -> std::optional<decltype(parse())> {
  if (line_.find_first_not_of(" \t\r") == std::string::npos) return std::nullopt;
  try {
    return parse();
  } catch (const Error& error) {
    complain(error.what());
  }
  return std::nullopt;
}

void JsonLines::pass_text() {
  const auto document = read_line([&] {
    JsonDocument found = parse_document(line_, rules_.field);
    if (rules_.kind == TextKind::utf8 && found.text.find('\0') != std::string::npos) {
      throw data_error("a NUL character in the text: only --tokenizer bytes takes it");
    }
    return found;
  });
  if (!document || document->text.empty()) return;
  sink_.begin_document(document->weight);
  sink_.text(document->text);
  bytes_ += document->text.size();
}

void JsonLines::pass_ids() {
  const auto document =
      read_line([&] { return parse_ids(line_, rules_.field, rules_.vocabulary); });
  if (!document || document->ids.empty()) return;
  sink_.begin_document(document->weight);
  sink_.ids(document->ids);
  ids_ += document->ids.size();
}

void JsonLines::complain(std::string_view what) {
  const auto words = fmt::format("'{}' line {}: {}", source_.name, number_, what);
  if (rules_.bad_lines == BadLines::skip) return skipped_(words);
  throw data_error("{}; --bad-lines skip passes over such lines", words);
}

}  // namespace ballast::data

#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/words.hpp"
#include "data/json_document.hpp"
#include "data/sources.hpp"

namespace ballast::data {

/// What a tokenizer takes.
enum class TextKind {
  bytes,  ///< anything
  utf8,   ///< well-formed UTF-8 without NULs
  ids     ///< no text: the token ids of JSON lines, as they are
};

/// Receives a corpus from its start to its end: documents, each in one or more pieces of text, or
/// of token ids. No document is empty; pieces of UTF-8 end between characters.
class DocumentSink {
 public:
  virtual ~DocumentSink() = default;
  virtual void begin_document(float weight) = 0;
  virtual void text(std::string_view piece) = 0;
  virtual void ids(std::span<const std::int32_t> piece) = 0;
};

/// How to handle a JSON line without a usable text or list of ids.
enum class BadLines { refuse, skip };

constexpr auto words_of(EnumTag<BadLines>) {
  return std::to_array<Word<BadLines>>({{BadLines::refuse, "refuse"}, {BadLines::skip, "skip"}});
}

/// How sources are read.
struct ReadRules {
  TextKind kind = TextKind::bytes;
  std::string field = "text";  ///< the key of a JSON line's text or ids
  BadLines bad_lines = BadLines::refuse;
  std::size_t vocabulary = 0;  ///< of token ids
};

/// Called for each skipped line, with a text: "'a.jsonl' line 7: ...".
using LineSkipped = std::function<void(const std::string&)>;

/// Cuts pieces of a file into JSON lines and passes each on as a document. A line is held in memory
/// as a whole, up to 64 MiB; values besides text, ids and weight take no memory.
class JsonLines {
 public:
  JsonLines(const Source& source, const ReadRules& rules, DocumentSink& sink,
            const LineSkipped& skipped)
      : source_{source}, rules_{rules}, sink_{sink}, skipped_{skipped} {}

  /// Data Errors name the source and the line.
  void take(std::string_view piece);
  /// The file ends here.
  void finish() { finish_line(); }
  /// Bytes of the texts that were passed on.
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }
  /// The token ids that were passed on.
  [[nodiscard]] std::uint64_t ids() const { return ids_; }

 private:
  void add(std::string_view part);
  void finish_line();
  /// What `parse` makes of the line; nothing where it is empty, too long or skipped.
  template <class Parse>
  [[nodiscard]] auto read_line(Parse&& parse) -> std::optional<decltype(parse())>;
  void pass_text();
  void pass_ids();
  /// Refuses this line, or reports that it is skipped.
  void complain(std::string_view what);

  const Source& source_;
  const ReadRules& rules_;
  DocumentSink& sink_;
  const LineSkipped& skipped_;
  std::string line_;
  bool too_long_ = false;  ///< the rest of this line is not kept
  std::uint64_t number_ = 1;
  std::uint64_t bytes_ = 0;
  std::uint64_t ids_ = 0;
};

}  // namespace ballast::data

#include "data/corpus.hpp"

#include <algorithm>
#include <span>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "data/unicode/utf8.hpp"
#include "storage/files.hpp"

namespace ballast::data {

namespace {

constexpr std::size_t kPiece = std::size_t{64} << 10;

/// Reads a file in pieces, hashes them and tells of them.
class HashedFile {
 public:
  HashedFile(const Source& source, const BytesRead& bytes_read)
      : file_{source.path, storage::Inputs::any}, bytes_read_{bytes_read}, buffer_(kPiece) {}

  /// The next piece; empty at the end.
  [[nodiscard]] std::string_view next() {
    const std::size_t got = file_.read(buffer_);
    hasher_.update(std::as_bytes(std::span{buffer_}.first(got)));
    if (got > 0) bytes_read_(got);
    return {buffer_.data(), got};
  }
  [[nodiscard]] Hash128 hash() const { return hasher_.digest(); }

 private:
  storage::InputFile file_;
  const BytesRead& bytes_read_;
  std::vector<char> buffer_;
  Hasher hasher_;
};

Error not_text(const Source& source, std::uint64_t offset, unsigned char byte) {
  if (byte == 0) {
    return data_error(
        "'{}' is a binary file (a NUL byte at offset {}), not text: convert it, or take its bytes "
        "as "
        "they are with --format text and --tokenizer bytes",
        source.name, offset);
  }
  return data_error(
      "'{}' is not UTF-8 text (byte 0x{:02x} at offset {}): convert it, or use --tokenizer bytes, "
      "which takes anything",
      source.name, byte, offset);
}

void refuse_nul(const Source& source, std::uint64_t offset, std::string_view piece) {
  const auto nul = piece.find('\0');
  if (nul != std::string_view::npos) throw not_text(source, offset + nul, 0);
}

/// Passes on whole characters; keeps a begun one for the next call.
class Utf8Stream {
 public:
  explicit Utf8Stream(const Source& source) : source_{source} {}

  /// Appends `piece` and returns what of it is whole; valid until the next call.
  [[nodiscard]] std::string_view take(std::string_view piece) {
    text_.erase(0, whole_);
    text_ += piece;
    const auto [valid, unfinished] = check_utf8(text_);
    const std::size_t nul = text_.find('\0');
    const std::size_t bad = std::min(nul, unfinished ? text_.size() : valid);
    if (bad < text_.size()) {
      throw not_text(source_, offset_ + bad, static_cast<unsigned char>(text_[bad]));
    }
    whole_ = valid;
    offset_ += valid;
    return std::string_view{text_}.substr(0, whole_);
  }

  void finish() const {
    if (whole_ == text_.size()) return;
    throw not_text(source_, offset_, static_cast<unsigned char>(text_[whole_]));
  }

 private:
  const Source& source_;
  std::string text_;
  std::size_t whole_ = 0;     ///< bytes of text_ passed on already
  std::uint64_t offset_ = 0;  ///< of the first byte not passed on
};

std::uint64_t read_text(const Source& source, TextKind kind, HashedFile& file, DocumentSink& sink) {
  Utf8Stream utf8{source};
  std::uint64_t read = 0;
  std::uint64_t bytes = 0;
  for (auto piece = file.next(); !piece.empty(); read += piece.size(), piece = file.next()) {
    if (source.format == SourceFormat::text) refuse_nul(source, read, piece);
    const std::string_view text = kind == TextKind::utf8 ? utf8.take(piece) : piece;
    if (text.empty()) continue;
    if (bytes == 0) sink.begin_document(1.0f);
    sink.text(text);
    bytes += text.size();
  }
  utf8.finish();
  return bytes;
}

/// What a source holds; its hash is set by the caller.
SourceRecord read_json_lines(const Source& source, const ReadRules& rules, HashedFile& file,
                             DocumentSink& sink, const LineSkipped& skipped) {
  JsonLines lines{source, rules, sink, skipped};
  for (auto piece = file.next(); !piece.empty(); piece = file.next()) lines.take(piece);
  lines.finish();
  return {.name = source.name, .bytes = lines.bytes(), .ids = lines.ids()};
}

}  // namespace

SourceRecord read_source(const Source& source, const ReadRules& rules, DocumentSink& sink,
                         const ReadWatch& watch) {
  HashedFile file{source, watch.bytes_read};
  SourceRecord record =
      source.format == SourceFormat::jsonl
          ? read_json_lines(source, rules, file, sink, watch.line_skipped)
          : SourceRecord{.name = source.name, .bytes = read_text(source, rules.kind, file, sink)};
  record.hash = file.hash();
  return record;
}

}  // namespace ballast::data

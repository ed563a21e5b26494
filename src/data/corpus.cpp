#include "data/corpus.hpp"

#include <cmath>
#include <span>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/json.hpp"
#include "base/text.hpp"
#include "data/utf8.hpp"
#include "storage/files.hpp"

namespace ballast::data {

namespace {

constexpr std::size_t kPiece = std::size_t{64} << 10;
constexpr std::size_t kLongestLine = std::size_t{64} << 20;

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
        "'{}' is a binary file (a NUL byte at offset {}): this tokenizer needs text; --tokenizer "
        "bytes takes anything",
        source.name, offset);
  }
  return data_error(
      "'{}' is not UTF-8 text (byte 0x{:02x} at offset {}): convert it, or use --tokenizer bytes, "
      "which takes anything",
      source.name, byte, offset);
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
  std::uint64_t bytes = 0;
  for (auto piece = file.next(); !piece.empty(); piece = file.next()) {
    const std::string_view text = kind == TextKind::utf8 ? utf8.take(piece) : piece;
    if (text.empty()) continue;
    if (bytes == 0) sink.begin_document(1.0f);
    sink.text(text);
    bytes += text.size();
  }
  utf8.finish();
  return bytes;
}

struct JsonDocument {
  std::string text;
  float weight = 1.0f;
};

JsonDocument parse_document(std::string_view line) {
  const Json object = parse_json(line);
  if (!object.is_object() || !object.contains("text") || !object["text"].is_string()) {
    throw data_error("this is not an object with a \"text\": {{\"text\": \"...\"}}");
  }
  JsonDocument document{object["text"].get<std::string>()};
  if (object.contains("weight")) {
    const auto& weight = object["weight"];
    document.weight = weight.is_number() ? weight.get<float>() : -1.0f;
    if (!std::isfinite(document.weight) || document.weight < 0) {
      throw data_error("the \"weight\" must be a number of 0 or more");
    }
  }
  return document;
}

/// Cuts pieces of a file into lines and passes each on as a document.
class JsonLines {
 public:
  JsonLines(const Source& source, TextKind kind, DocumentSink& sink)
      : source_{source}, kind_{kind}, sink_{sink} {}

  void take(std::string_view piece) {
    for (auto end = piece.find('\n'); end != std::string_view::npos; end = piece.find('\n')) {
      line_ += piece.substr(0, end);
      finish_line();
      piece.remove_prefix(end + 1);
    }
    line_ += piece;
    if (line_.size() > kLongestLine) {
      throw data_error("'{}' line {}: longer than {}", source_.name, number_,
                       human_bytes(kLongestLine));
    }
  }

  void finish_line() {
    if (line_.find_first_not_of(" \t\r") != std::string::npos) {
      with_context(fmt::format("'{}' line {}", source_.name, number_), [&] { pass_on(line_); });
    }
    line_.clear();
    ++number_;
  }

  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

 private:
  void pass_on(std::string_view line) {
    const JsonDocument document = parse_document(line);
    if (document.text.empty()) return;
    if (kind_ == TextKind::utf8 && document.text.find('\0') != std::string::npos) {
      throw data_error("a NUL character in the text: only --tokenizer bytes takes it");
    }
    sink_.begin_document(document.weight);
    sink_.text(document.text);
    bytes_ += document.text.size();
  }

  const Source& source_;
  TextKind kind_;
  DocumentSink& sink_;
  std::string line_;
  std::uint64_t number_ = 1;
  std::uint64_t bytes_ = 0;
};

std::uint64_t read_json_lines(const Source& source, TextKind kind, HashedFile& file,
                              DocumentSink& sink) {
  JsonLines lines{source, kind, sink};
  for (auto piece = file.next(); !piece.empty(); piece = file.next()) lines.take(piece);
  lines.finish_line();
  return lines.bytes();
}

}  // namespace

SourceRecord read_source(const Source& source, TextKind kind, DocumentSink& sink,
                         const BytesRead& bytes_read) {
  HashedFile file{source, bytes_read};
  const std::uint64_t bytes = source.format == SourceFormat::jsonl
                                  ? read_json_lines(source, kind, file, sink)
                                  : read_text(source, kind, file, sink);
  return {source.name, bytes, file.hash()};
}

}  // namespace ballast::data

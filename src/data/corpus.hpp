#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "data/dataset_writer.hpp"
#include "data/sources.hpp"

namespace ballast::data {

/// What a tokenizer takes.
enum class TextKind {
  bytes,  ///< anything
  utf8    ///< well-formed UTF-8 without NULs
};

/// Receives a corpus from its start to its end: documents, each in one or more pieces of text. No
/// document is empty; pieces of UTF-8 end between characters.
class DocumentSink {
 public:
  virtual ~DocumentSink() = default;
  virtual void begin_document(float weight) = 0;
  virtual void text(std::string_view piece) = 0;
};

/// Told how many more bytes of a file have been read.
using BytesRead = std::function<void(std::uint64_t)>;

/// Reads one source piece by piece (a JSON line as a whole), hashing it as it passes. Data Errors
/// name the source and the byte offset or line.
SourceRecord read_source(const Source& source, TextKind kind, DocumentSink& sink,
                         const BytesRead& bytes_read);

}  // namespace ballast::data

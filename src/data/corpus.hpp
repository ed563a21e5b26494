#pragma once

#include <cstdint>
#include <functional>

#include "data/dataset_writer.hpp"
#include "data/json_lines.hpp"
#include "data/sources.hpp"

namespace ballast::data {

/// Told how many more bytes of a file have been read.
using BytesRead = std::function<void(std::uint64_t)>;

/// Who is told while sources are read.
struct ReadWatch {
  BytesRead bytes_read;
  LineSkipped line_skipped;
};

/// Reads one source piece by piece (a JSON line as a whole), hashing it as it passes. Data Errors
/// name the source and the byte offset or line.
SourceRecord read_source(const Source& source, const ReadRules& rules, DocumentSink& sink,
                         const ReadWatch& watch);

}  // namespace ballast::data

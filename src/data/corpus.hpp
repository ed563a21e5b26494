#pragma once

#include <cstdint>
#include <functional>

#include "data/dataset_writer.hpp"
#include "data/json_lines.hpp"
#include "data/sources.hpp"

namespace ballast::data {

/// Called with the number of bytes that were read since the last call.
using BytesRead = std::function<void(std::uint64_t)>;

/// Functions that are called while sources are read.
struct ReadWatch {
  BytesRead bytes_read;
  LineSkipped line_skipped;
};

/// Reads one source piece by piece (a JSON line as a whole), and hashes it. Data Errors name the
/// source and the byte offset or line.
SourceRecord read_source(const Source& source, const ReadRules& rules, DocumentSink& sink,
                         const ReadWatch& watch);

}  // namespace ballast::data

#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "data/left_out.hpp"

namespace ballast::data {

enum class SourceFormat {
  text,  ///< the file's bytes, one document; a NUL byte shows that it is no text
  raw,   ///< the file's bytes, one document, whatever they are
  jsonl  ///< a JSON object a line: {"text": "...", "weight": 0.5}; each is a document
};

/// How a source was found: a file that the user named is never left out.
enum class Origin { named, folder };

/// One file of a corpus.
struct Source {
  std::filesystem::path path;  ///< where it is read
  std::string name;            ///< as the user named it
  Origin origin = Origin::named;
  SourceFormat format = SourceFormat::text;
};

struct FoundSources {
  std::vector<Source> sources;  ///< sorted by name
  LeftOutFiles left_out;
};

/// The files that `inputs` name, each once, even if several names lead to it. An input is a
/// file, a folder (all files below it and below folders that it links to), a glob, or "-" for
/// standard input. A data Error names an input that matches nothing or cannot be read.
[[nodiscard]] FoundSources find_sources(std::span<const std::string> inputs);

/// Whether a file can be read more than once: pipes and standard input cannot.
[[nodiscard]] bool reads_once(const Source& source);

/// Copies a source that can be read only once into `copy`, and lets it read from there.
void spool(Source& source, const std::filesystem::path& copy);

}  // namespace ballast::data

#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "data/left_out.hpp"
#include "data/prepare_options.hpp"

namespace ballast::data {

/// How the documents of a dataset are separated.
enum class Boundaries {
  none,    ///< there is one document
  marked,  ///< <bos> before each, and the places of their starts in the dataset
  starts,  ///< the places of their starts alone: token ids stay as they are
  joined   ///< by a text between them
};

/// Lines that gave no document: how many, and a text about the first of them.
struct SkippedLines {
  static constexpr std::size_t kExamples = 3;
  std::uint64_t count = 0;
  std::vector<std::string> examples = {};
};

struct PrepareSummary {
  std::uint64_t text_files = 0;
  std::uint64_t json_files = 0;   ///< of JSON lines
  std::uint64_t empty_files = 0;  ///< of these
  std::uint64_t documents = 0;
  Boundaries boundaries = Boundaries::none;
  LeftOutFiles left_out;
  SkippedLines skipped;
  std::uint64_t raw_bytes = 0;
  bool is_of_ids = false;  ///< the inputs hold token ids, whose bytes of text nobody knows
  std::uint64_t train_tokens = 0;
  std::uint64_t validation_tokens = 0;
  std::uint64_t longest_train_segment = 0;  ///< tokens
  std::uint64_t vocabulary = 0;
};

/// Called now and then with the bytes read so far and the bytes to read (0: unknown).
using Progress = std::function<void(std::uint64_t done, std::uint64_t total)>;

/// Tokenizes text, or takes token ids, into one HDF5 dataset, in a stream: memory does not grow
/// with the corpus. Writes beside `output` and renames at the end. Data Errors name the source and
/// the byte offset or line.
PrepareSummary prepare(const PrepareOptions& options, const Progress& progress);

}  // namespace ballast::data

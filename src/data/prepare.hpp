#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace ballast::data {

/// How the validation part is chosen.
enum class SplitRule {
  blocks,    ///< plain text in blocks of 16 KiB; block i is held out when i mod 20 = 19
  tail,      ///< the last fraction of the text
  documents  ///< whole documents (files, or parts between separators), each 20th
};

/// What `ballast prepare` was asked to do.
struct PrepareOptions {
  std::vector<std::string> inputs = {};  ///< files, folders, globs, or "-" for standard input
  std::filesystem::path output = {};
  std::string tokenizer = "bytes";  ///< bytes | sentencepiece:VOCAB | path of a tokenizer.model
  SplitRule split = SplitRule::blocks;
  double validation_fraction = 0.05;  ///< for the tail rule
  bool mark_documents = false;        ///< <bos> before each document, boundaries in the dataset
};

struct PrepareSummary {
  std::uint64_t sources = 0;
  std::uint64_t raw_bytes = 0;
  std::uint64_t train_tokens = 0;
  std::uint64_t validation_tokens = 0;
  std::uint64_t vocabulary = 0;
};

/// Called now and then with the bytes read so far and the bytes to read (0: unknown).
using Progress = std::function<void(std::uint64_t done, std::uint64_t total)>;

/// Tokenises text into one HDF5 dataset, in a stream: memory does not grow with the corpus. Writes
/// beside `output` and renames at the end. Data Errors name the source and the byte offset.
PrepareSummary prepare(const PrepareOptions& options, const Progress& progress);

}  // namespace ballast::data

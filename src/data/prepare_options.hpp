#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "data/formats.hpp"
#include "data/json_lines.hpp"
#include "data/split.hpp"
#include "data/tokenizers/tokenizer.hpp"
#include "data/tokenizers/tokenizer_files.hpp"
#include "data/vocabulary/next_text.hpp"

namespace ballast::data {

/// The options of `ballast prepare`.
struct PrepareOptions {
  std::vector<std::string> inputs = {};  ///< files, folders, globs, or "-" for standard input
  std::filesystem::path output = {};
  /// bytes | sentencepiece:VOCAB | bpe:VOCAB | ids:VOCAB | path of a Hugging Face folder, a
  /// tokenizer.json or a tokenizer.model
  std::string tokenizer = "bytes";
  /// Reads the tokenizer at such a path. Whoever knows more kinds of files than data does, names a
  /// function that reads these, too.
  std::function<TokenizerFiles(const std::filesystem::path&)> read_tokenizer = read_tokenizer_files;
  FormatChoice format = FormatChoice::automatic;
  std::string field = {};  ///< the key of a JSON line's text or ids; empty: "text" or "ids"
  BadLines bad_lines = BadLines::refuse;
  SplitRule split = SplitRule::blocks;
  double validation_fraction = 0.05;     ///< for the tail rule
  bool mark_documents = false;           ///< mark a single document, too; several are marked anyway
  std::optional<std::string> join = {};  ///< put this between documents instead
  std::optional<std::uint64_t> threads = {};  ///< that encode; nothing: one for each processor
};

/// Throws what of the options cannot be carried out, before anything is read: usage and data
/// Errors.
void check(const PrepareOptions& options);

/// What the inputs are read as.
[[nodiscard]] TextKind kind_of(const PrepareOptions& options);
/// The key of a JSON line's text or ids.
[[nodiscard]] std::string field_of(const PrepareOptions& options);

/// Whether the tokenizer is to be trained on the inputs.
[[nodiscard]] bool trains_tokenizer(const PrepareOptions& options);
/// Trains it. A usage Error where the asked number of tokens is no possible one.
[[nodiscard]] std::unique_ptr<Tokenizer> train_tokenizer(const PrepareOptions& options,
                                                         const NextText& next);
/// A tokenizer that is there already. Data Errors name the file.
[[nodiscard]] std::unique_ptr<Tokenizer> load_tokenizer(const PrepareOptions& options);

}  // namespace ballast::data

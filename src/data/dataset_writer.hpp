#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/hash.hpp"
#include "data/dataset.hpp"
#include "data/tokenizers/tokenizer.hpp"
#include "storage/h5/writer.hpp"

namespace ballast::data {

/// Values for one growing dataset of the file: written a chunk at a time, converted to the
/// dataset's own type, and hashed.
template <class T>
class Column {
 public:
  Column(storage::H5Writer& file, std::string name) : file_{&file}, name_{std::move(name)} {}
  void push(T value);
  /// Writes what is left; then the hash is of all values.
  void flush();
  [[nodiscard]] std::uint64_t size() const { return size_; }
  [[nodiscard]] Hash128 hash() const { return hasher_.digest(); }

 private:
  storage::H5Writer* file_;
  std::string name_;
  std::vector<T> pending_;
  std::uint64_t size_ = 0;
  Hasher hasher_;
};

enum class LossWeights { none, stored };

/// One file that a dataset was made of.
struct SourceRecord {
  std::string name;
  std::uint64_t bytes = 0;  ///< of its text, as tokenized; 0 where it holds token ids
  Hash128 hash = {};        ///< of the file
  std::uint64_t ids = 0;    ///< tokens, where it holds token ids
};

/// Writes a token dataset in one pass; its memory does not grow with the tokens. Use: for each
/// segment `begin_segment`, then tokens with `append`; `finish` at the end. Tokens of both splits
/// may come in any interleaving of segments.
class DatasetWriter {
 public:
  DatasetWriter(const std::filesystem::path& path, const Tokenizer& tokenizer, LossWeights weights);
  DatasetWriter(const DatasetWriter&) = delete;
  DatasetWriter& operator=(const DatasetWriter&) = delete;

  /// The tokens that follow in `split` do not continue those before.
  void begin_segment(Split split);
  /// The next token of `split` is the first of a document.
  void begin_document(Split split);
  /// Tokens below the tokenizer's vocabulary; `weight` scales the loss of predicting each of them.
  void append(Split split, std::span<const std::int32_t> tokens, float weight = 1.0f);

  /// Writes the attributes, closes the file and says what is in it.
  DatasetInfo finish(std::string_view split_rule, std::span<const SourceRecord> sources);

 private:
  struct SplitColumns {
    SplitColumns(storage::H5Writer& file, Split split, std::uint64_t vocabulary,
                 LossWeights weights);
    void end_segment();
    void flush();
    void add_to(Hasher& hasher) const;

    Column<std::uint32_t> tokens;
    std::optional<Column<float>> weights;
    Column<std::uint64_t> segments;
    Column<std::uint64_t> documents;
    std::uint64_t segment_start = 0;
    std::uint64_t max_token = 0;
    std::uint64_t weighted_tokens = 0;  ///< whose weight is above 0
  };
  [[nodiscard]] const SplitColumns& columns(Split split) const {
    return splits_[static_cast<std::size_t>(split)];
  }
  [[nodiscard]] SplitColumns& columns(Split split) {
    return splits_[static_cast<std::size_t>(split)];
  }
  [[nodiscard]] DatasetInfo describe(std::string_view split_rule,
                                     std::span<const SourceRecord> sources) const;
  [[nodiscard]] std::string content_hash(const std::string& tokenizer_hash) const;
  void write_tokenizer();
  void write_attributes(const DatasetInfo& info);
  void write_sources(std::span<const SourceRecord> sources);
  void write_header();

  storage::H5Writer file_;
  const Tokenizer& tokenizer_;
  Hash128 piece_bytes_hash_;
  std::array<SplitColumns, 2> splits_;
};

}  // namespace ballast::data

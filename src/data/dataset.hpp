#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/block_table.hpp"
#include "data/split.hpp"
#include "storage/h5/reader.hpp"

namespace ballast::data {

/// The version of the file's layout that this program writes: with hashes of the header and of
/// blocks. Format 1, without them, is read as well.
inline constexpr std::uint64_t kDatasetVersion = 2;
inline constexpr std::uint64_t kUnhashedVersion = 1;

/// The description of a dataset: the attributes of its HDF5 file.
struct DatasetInfo {
  std::uint64_t format_version = 0;
  std::string tokenizer;       ///< "bytes", "sentencepiece" or "ids"
  std::string tokenizer_hash;  ///< XXH3-128 of the tokenizer's model, or of its name for bytes
  std::uint64_t vocabulary = 0;
  std::uint64_t train_tokens = 0;
  std::uint64_t validation_tokens = 0;
  std::uint64_t raw_bytes = 0;  ///< of all sources; 0 where they hold token ids
  std::string content_hash;     ///< over tokens, segments and tokenizer: what resume compares
  std::string split_rule;       ///< how the validation part was chosen
  /// Training tokens whose weight is above 0; nothing in format 1, which does not say.
  std::optional<std::uint64_t> weighted_tokens;
};

/// One window of a split: `seq_len` inputs and, one to the right, their labels.
struct WindowView {
  std::span<std::int32_t> inputs;    ///< [seq_len]
  std::span<std::int32_t> labels;    ///< [seq_len]; kIgnore where there is none
  std::span<std::int32_t> segments;  ///< [seq_len] document number within the window, from 0
  std::span<float> weights;          ///< [seq_len] loss weights; all ones when the dataset has none
};

inline constexpr std::int32_t kIgnore = -1;

/// A token dataset, opened for reading. Windows never cross from one segment (a run of text whose
/// neighbor was held out) into the next. Train: windows of seq_len labels at stride seq_len, each
/// full; a segment's last tokens that do not fill one are left out. Validation: each segment is cut
/// by itself, its last window padded with ignored labels; the first token of a window is input
/// only. Opening checks the file's description of itself; reading a window checks its tokens and,
/// before their first use, the blocks that hold them. One thread at a time.
class Dataset {
 public:
  /// Checks that the file is a whole token dataset of a known version, that its header is as it was
  /// written, that its parts fit together, and that the largest token that it states is below its
  /// vocabulary.
  explicit Dataset(const std::filesystem::path& path);

  [[nodiscard]] const DatasetInfo& info() const { return info_; }
  [[nodiscard]] const std::filesystem::path& path() const { return file_.path(); }
  [[nodiscard]] bool has_weights() const { return has_weights_; }

  /// Blocks of tokens and weights, hashed one by one; 0 in format 1.
  [[nodiscard]] std::size_t blocks() const;
  /// Throws a data Error that names dataset, block and elements if the file holds something else.
  void verify_block(std::size_t block) const;
  /// To be called when all blocks are verified, also by other processes: reading verifies no more.
  void trust_blocks() const;

  /// Where the segments of a split begin, and its end: [segments + 1].
  [[nodiscard]] std::span<const std::uint64_t> segments(Split split) const;
  [[nodiscard]] std::span<const std::uint64_t> documents(Split split) const;
  [[nodiscard]] std::uint64_t token_count(Split split) const;
  /// A data Error that names the position if a token is not below the vocabulary.
  void read_tokens(Split split, std::uint64_t first, std::span<std::int32_t> out) const;
  /// A data Error that names the position if a weight is negative or not finite.
  void read_weights(Split split, std::uint64_t first, std::span<float> out) const;

  /// Windows of `seq_len` in a split. A data Error if the split cannot fill one.
  [[nodiscard]] std::size_t windows(Split split, std::size_t seq_len) const;
  /// A data Error that names the position if a token is not below the vocabulary.
  void read_window(Split split, std::size_t seq_len, std::size_t window,
                   const WindowView& out) const;

  /// Raw text bytes each token stands for: [vocabulary]; specials are 0, and all where texts were
  /// token ids.
  [[nodiscard]] std::span<const std::uint16_t> piece_bytes() const { return piece_bytes_; }
  /// What the dataset was made of: one JSON object a line, with name, bytes and xxh3_128.
  [[nodiscard]] std::string sources() const;
  /// The tokenizer's serialized model; empty for bytes.
  [[nodiscard]] std::vector<std::uint8_t> tokenizer_model() const;

 private:
  struct SplitData {
    std::vector<std::uint64_t> segments;   ///< segment boundaries: [count + 1]
    std::vector<std::uint64_t> documents;  ///< starts of documents, ascending
    /// For the seq_len asked for last: windows before each segment, and of all. [count + 1]
    mutable std::vector<std::uint64_t> first_window;
    mutable std::size_t seq_len = 0;
  };
  /// A run of tokens in the file: what one window shows.
  struct Extent {
    std::uint64_t first = 0;
    std::size_t labels = 0;  ///< tokens less one
  };
  /// A column of the file whose blocks are hashed.
  struct HashedColumn {
    std::string name;
    BlockTable table;
    mutable std::vector<bool> is_verified = {};  ///< [blocks]
  };
  void read_info();
  void read_split(Split split);
  void read_tables();
  void check_header() const;
  void verify_once(const HashedColumn& column, std::size_t block) const;
  /// Reads elements of a column once the blocks that they lie in are verified.
  template <class T>
  void read_verified(const std::string& column, std::uint64_t first, std::span<T> out) const;
  void require_size(const std::string& dataset, std::uint64_t size) const;
  [[nodiscard]] const SplitData& split_data(Split split) const;
  [[nodiscard]] const std::vector<std::uint64_t>& first_windows(Split split,
                                                                std::size_t seq_len) const;
  [[nodiscard]] Extent extent(Split split, std::size_t seq_len, std::size_t window) const;
  void require_in_vocabulary(Split split, std::uint64_t first,
                             std::span<const std::int32_t> tokens) const;

  storage::H5Reader file_;
  DatasetInfo info_;
  SplitData train_;
  SplitData validation_;
  std::vector<std::uint16_t> piece_bytes_;
  std::vector<HashedColumn> hashed_;  ///< empty in format 1
  bool has_weights_ = false;
  mutable std::vector<std::int32_t> window_;  ///< the tokens read last
};

}  // namespace ballast::data

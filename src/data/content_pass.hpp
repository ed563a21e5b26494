#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/hash.hpp"
#include "data/dataset.hpp"

namespace ballast::data {

/// Reads all values of a dataset, piece by piece: checks that every token is in the vocabulary and
/// every weight is valid, and can compare the whole with the content hash. For that hash, which is
/// a chain, one process must read the pieces in order; without it they may be checked in any
/// order.
class ContentPass {
 public:
  explicit ContentPass(const Dataset& dataset);

  [[nodiscard]] std::size_t pieces() const;
  /// Checks the values of one piece. Throws a data Error that names position and value.
  void check(std::size_t piece);
  /// Checks the next piece, and adds it to the content hash.
  void take_next();
  /// After all pieces: throws a data Error if they do not have the dataset's content hash.
  void require_same_content() const;

 private:
  struct Run {
    Split split;
    bool is_weights = false;
    std::uint64_t elements = 0;
    Hasher hasher = {};
  };
  struct Piece {
    std::size_t run = 0;
    std::uint64_t first = 0;
    std::uint64_t count = 0;
  };
  [[nodiscard]] Piece locate(std::size_t piece) const;
  [[nodiscard]] std::span<const std::byte> read(const Piece& piece);

  const Dataset* dataset_;
  std::vector<Run> runs_;  ///< the columns, in the order of the file
  std::vector<std::int32_t> tokens_;
  std::vector<float> weights_;
  std::size_t next_ = 0;
};

}  // namespace ballast::data

#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "comm/communicator.hpp"

namespace ballast::comm {

/// Memory that all ranks of a host read and write: one part for each rank, side by side in rank
/// order. It has no name in any file system, so nothing is left of it when the last process ends,
/// in whatever way it ends.
class SharedRegion {
 public:
  /// Collective over `node`, whose ranks share a host. This rank's part has at least `own_bytes`
  /// and whole pages; it begins as zeros, and lies in memory near this rank. The constructor takes
  /// the memory of all parts, so that no rank runs out of it later. If any rank cannot get it,
  /// every rank throws the same usage Error.
  SharedRegion(Communicator& node, std::size_t own_bytes);

  /// The own_bytes of `rank`; the span begins on a page of its own.
  [[nodiscard]] std::span<std::byte> part(int rank) const;
  [[nodiscard]] std::span<std::byte> own() const { return part(own_rank_); }
  /// Of all parts, with the unused ends of their last pages.
  [[nodiscard]] std::size_t total_bytes() const { return total_bytes_; }

 private:
  struct Unmap {
    std::size_t bytes;
    void operator()(std::byte* memory) const noexcept;
  };
  using Mapping = std::unique_ptr<std::byte[], Unmap>;

  struct Part {
    std::size_t offset;
    std::size_t bytes;
  };

  void lay_out(Communicator& node, std::size_t own_bytes);

  int own_rank_;
  std::size_t total_bytes_ = 0;
  std::vector<Part> parts_;  ///< of each rank
  Mapping memory_;
};

}  // namespace ballast::comm

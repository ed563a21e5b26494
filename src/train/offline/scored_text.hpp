#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "comm/communicator.hpp"
#include "model/batch.hpp"

namespace ballast::train {

/// A line of `score`, with its line end. `tokens`: the first, which has no loss, and those whose
/// negative log-likelihoods `nll` has: nll.size() + 1. `window`: its number, if it has one.
[[nodiscard]] std::string score_line(std::optional<std::size_t> window,
                                     std::span<const std::int32_t> tokens,
                                     std::span<const float> nll);

/// Micro-batches and their losses, one from each rank, on their way to rank 0.
class ScoredWave {
 public:
  ScoredWave(const comm::Communicator& world, model::BatchShape shape);

  /// This rank's, for the next gather.
  void take(const model::Batch& batch, std::span<const float> nll);
  /// Brings those of ranks 0 to count - 1 to rank 0. Collective.
  void gather(comm::Communicator& world, std::size_t count);
  /// On rank 0: the line of a sequence of a rank's micro-batch; it ends where labels do.
  [[nodiscard]] std::string line(std::size_t rank, std::size_t sequence,
                                 std::optional<std::size_t> window) const;

 private:
  /// What is sent of a token.
  struct Place {
    std::int32_t input;
    std::int32_t label;
    float nll;
  };

  model::BatchShape shape_;
  std::vector<Place> own_;  ///< [shape.tokens()]
  std::vector<Place> all_;  ///< on rank 0: [ranks * shape.tokens()]
};

}  // namespace ballast::train

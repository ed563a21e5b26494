#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "comm/communicator.hpp"
#include "kernels/top_tokens.hpp"
#include "model/batch.hpp"
#include "model/logits_observer.hpp"

namespace ballast::train {

/// What a model says of a text.
struct ScoredText {
  std::span<const std::int32_t> tokens;  ///< the first, which has no loss, and those of nll
  std::span<const float> nll;            ///< negative log-likelihoods: tokens.size() - 1
  std::size_t top = 0;                   ///< likeliest tokens at each of them; 0: none
  std::span<const kernels::TokenLoss> likely = {};  ///< [nll.size(), top]
};

/// A line of `score`, with its line end. `window`: its number, if it has one.
[[nodiscard]] std::string score_line(std::optional<std::size_t> window, const ScoredText& text);

/// Micro-batches and what a model says of them, one from each rank, on their way to rank 0.
class ScoredWave final : public model::LogitsObserver {
 public:
  /// `top`: the likeliest tokens to keep of each place, for which this must observe the logits of
  /// the model; 0: none. Memory: 12 bytes a token of a micro-batch, 8 more for each of `top`; on
  /// rank 0 those of all ranks besides.
  ScoredWave(const comm::Communicator& world, model::BatchShape shape, std::size_t top);

  void after_logits(const model::ShownLogits& shown,
                    const kernels::Operations& operations) override;
  /// This rank's, for the next gather.
  void take(const model::Batch& batch, std::span<const float> nll);
  /// Brings those of ranks 0 to count - 1 to rank 0. Collective.
  void gather(comm::Communicator& world, std::size_t count);
  /// On rank 0: the line of a sequence of a rank's micro-batch; it ends where labels do.
  [[nodiscard]] std::string line(std::size_t rank, std::size_t sequence,
                                 std::optional<std::size_t> window) const;

 private:
  /// What is sent of a token, besides those that were likelier.
  struct Place {
    std::int32_t input;
    std::int32_t label;
    float nll;
  };

  model::BatchShape shape_;
  std::size_t top_;
  std::vector<Place> own_;                      ///< [shape.tokens()]
  std::vector<Place> all_;                      ///< on rank 0: [ranks * shape.tokens()]
  std::vector<kernels::TokenLoss> own_likely_;  ///< [shape.tokens(), top]
  std::vector<kernels::TokenLoss> all_likely_;  ///< on rank 0: [ranks * shape.tokens(), top]
};

}  // namespace ballast::train

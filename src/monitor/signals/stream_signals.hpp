#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/exact_sum.hpp"
#include "comm/communicator.hpp"
#include "monitor/probe/probe_rows.hpp"

namespace ballast::monitor {

/// What is cheap to see of the residual stream, over all sampled tokens of the job. Not finite
/// where the stream is not.
struct StreamSignals {
  std::size_t tokens = 0;
  std::vector<double> rms;       ///< [layers + 1]: root of the mean square
  std::vector<double> kurtosis;  ///< [layers + 1]: mean x⁴ ÷ (mean x²)², 3 where x is normal
  std::vector<double> update;  ///< [layers]: ‖h_{l+1} − h_l‖ ÷ ‖h_l‖ over all tokens together
  std::vector<double> attention_logit;  ///< [layers]: the largest that any token saw
};

/// The sums behind them, exact, so that they merge in any order over any number of ranks.
class StreamSums {
 public:
  StreamSums(std::size_t layers, std::size_t dim);

  /// This rank's part.
  void measure(const ProbeRows& rows);
  /// The job's. Collective: one sum and one maximum of integers.
  void merge_over(comm::Communicator& world);
  void write(StreamSignals& signals) const;

 private:
  void measure_depth(const ProbeRows& rows, std::size_t depth);

  std::size_t dim_;
  std::size_t layers_;
  std::int64_t tokens_ = 0;
  std::vector<ExactSum> squares_;     ///< [layers + 1]
  std::vector<ExactSum> fourths_;     ///< [layers + 1]
  std::vector<ExactSum> updates_;     ///< [layers]: of (h_{l+1} − h_l)²
  std::vector<std::int64_t> logits_;  ///< [layers], as integers of the same order
  std::vector<float> scratch_;        ///< [dim]
};

}  // namespace ballast::monitor

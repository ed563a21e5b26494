#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/exact_sum.hpp"
#include "comm/communicator.hpp"
#include "monitor/monitor.hpp"
#include "monitor/spectral/kss_shaping.hpp"

namespace ballast::train {

/// Adds the gradient of the spectral loss to the residual streams of a step on their way back
/// (monitor::KssShaping), held well below the task's.
class Shaping {
 public:
  /// What is added to a stream is at most this share of the gradient that is there, by the norm
  /// over a micro-batch. (What later blocks were given has passed into it by then.)
  static constexpr double kCap = 0.1;
  /// Steps since the alarm began over which the weight rises to its full height.
  static constexpr std::uint64_t kRampSteps = 100;

  /// `rows` are filled with the samples of a step, once before it and once while it is computed;
  /// they are of `shape`, at most `most_rows` a micro-batch. `rows` and `gemm` must outlive this.
  Shaping(const monitor::ProbeRows& rows, const monitor::SpectralShape& shape,
          std::size_t most_rows, const kernels::Gemm& gemm, double alpha);

  /// The rows hold the samples of `step`: their operators are solved and differentiated.
  /// `alarm_age`: steps since the alarm began; `gradient_scale`: how much larger this step's
  /// gradients are than those of the mean loss, until the update. Collective.
  void begin(comm::Communicator& world, std::uint64_t step, std::uint64_t alarm_age,
             double gradient_scale);
  /// `gradient`: of the stream that leaves block `layer`, over the micro-batch that the rows hold
  /// last.
  void add(std::size_t layer, std::span<float> gradient);
  /// What became of the step. Collective.
  [[nodiscard]] monitor::ShapingRecord finish(comm::Communicator& world);

 private:
  const monitor::ProbeRows* rows_;
  monitor::KssShaping kss_;
  double alpha_;
  double weight_ = 0.0;        ///< of this step
  ExactSum shares_;            ///< of what was wanted, that was added, stream by stream
  std::int64_t streams_ = 0;   ///< that something was to be added to
  std::vector<float> wanted_;  ///< [tokens of a micro-batch, dim]
};

}  // namespace ballast::train

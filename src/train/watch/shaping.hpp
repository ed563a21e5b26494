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

/// Adds the gradient of the spectral loss (monitor::KssShaping) to those of the residual streams in
/// a step's backward, limited to a small share of them.
class Shaping {
 public:
  /// The largest norm of what is added, as a share of the norm of the stream's gradient, over a
  /// micro-batch. (That gradient includes what later blocks were given.)
  static constexpr double kCap = 0.1;
  /// Steps since the alarm began over which the weight rises to its full height.
  static constexpr std::uint64_t kRampSteps = 100;

  /// `rows` hold the samples of a step twice: from a forward pass before the step, and during the
  /// step. They are of `shape`, at most `most_rows` a micro-batch. `rows` and `gemm` must outlive
  /// this.
  Shaping(const monitor::ProbeRows& rows, const monitor::SpectralShape& shape,
          std::size_t most_rows, const kernels::Gemm& gemm, double alpha);

  /// Solves and differentiates the operators of the rows, which must hold the samples of `step`.
  /// `alarm_age`: steps since the alarm began; `gradient_scale`: as ForwardPasses::show_next
  /// returns it. Collective.
  void begin(comm::Communicator& world, std::uint64_t step, std::uint64_t alarm_age,
             double gradient_scale);
  /// Adds to `gradient`: that of the stream that leaves block `layer`, for the newest micro-batch
  /// in the rows.
  void add(std::size_t layer, std::span<float> gradient);
  /// The record of what was added in the step. Collective.
  [[nodiscard]] monitor::ShapingRecord finish(comm::Communicator& world);

 private:
  const monitor::ProbeRows* rows_;
  monitor::KssShaping kss_;
  double alpha_;
  double weight_ = 0.0;        ///< of this step
  ExactSum shares_;            ///< sum over streams: the part of the wanted gradient that was added
  std::int64_t streams_ = 0;   ///< number of these streams
  std::vector<float> wanted_;  ///< [tokens of a micro-batch, dim]
};

}  // namespace ballast::train

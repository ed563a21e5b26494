#pragma once

#include <cstdint>

#include "comm/communicator.hpp"
#include "train/log/metrics_log.hpp"

namespace ballast::train {

/// Steps and labels since the last record, and the time they took.
class Meter {
 public:
  void add(double seconds, std::int64_t labels, const comm::Timings& timings) {
    seconds_ += seconds;
    labels_ += labels;
    timings_.work_s += timings.work_s;
    timings_.skew_s += timings.skew_s;
    ++steps_;
  }
  [[nodiscard]] double mean_step_s() const { return seconds_ / static_cast<double>(steps_); }
  void fill(Record& record) const {
    record.step_s = mean_step_s();
    record.tokens_per_s = static_cast<double>(labels_) / seconds_;
    record.comm_work_s = timings_.work_s / static_cast<double>(steps_);
    record.skew_s = timings_.skew_s / static_cast<double>(steps_);
  }
  void restart() { *this = Meter{}; }

 private:
  double seconds_ = 0.0;
  std::int64_t labels_ = 0;
  comm::Timings timings_;
  std::uint64_t steps_ = 0;
};

}  // namespace ballast::train

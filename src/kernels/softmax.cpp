#include "kernels/softmax.hpp"

#include <cstddef>

#include "kernels/lanes/exp.hpp"
#include "kernels/lanes/isa.hpp"
#include "kernels/lanes/lanes.hpp"
#include "kernels/lanes/math.hpp"

namespace ballast::kernels {

namespace {

BALLAST_KERNEL SoftmaxSum sum_exponentials(const float* logits, std::size_t count) {
  const float max = lane_max(logits, count);
  LaneVector sum{};
  LaneVector value;
  for (std::size_t i = 0; i < count; i += kLanes) {
    load_lanes(logits + i, count - i, -__builtin_inff(), value);
    value -= max;
    float lanes[kLanes];
    __builtin_memcpy(lanes, &value, sizeof lanes);
    for (float& lane : lanes) lane = exp_lane(lane);
    __builtin_memcpy(&value, lanes, sizeof lanes);
    sum += value;
  }
  return {max, lane_tree(sum)};
}

}  // namespace

SoftmaxSum softmax_sum(std::span<const float> logits) {
  return sum_exponentials(logits.data(), logits.size());
}

float negative_log_likelihood(const SoftmaxSum& softmax, float logit) {
  return static_cast<float>(portable_log(static_cast<double>(softmax.sum)) +
                            (static_cast<double>(softmax.max) - static_cast<double>(logit)));
}

float log_z(const SoftmaxSum& softmax) {
  return static_cast<float>(portable_log(static_cast<double>(softmax.sum)) +
                            static_cast<double>(softmax.max));
}

}  // namespace ballast::kernels

#include "train/watch/standing_observers.hpp"

#include "train/watch/qk_clip.hpp"

namespace ballast::train {

std::vector<std::unique_ptr<StepObserver>> standing_observers(const Config& config,
                                                              const fsdp::ShardLayout& layout) {
  std::vector<std::unique_ptr<StepObserver>> observers;
  if (config.experimental.qk_clip > 0.0) {
    observers.push_back(std::make_unique<QkClip>(config.experimental.qk_clip, layout));
  }
  return observers;
}

}  // namespace ballast::train

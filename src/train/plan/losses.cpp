#include "train/plan/losses.hpp"

#include "model/z_loss.hpp"

namespace ballast::train {

std::shared_ptr<const model::Loss> make_loss(const OptimConfig& config) {
  if (config.z_loss > 0.0) return std::make_shared<model::ZLoss>(config.z_loss);
  return nullptr;
}

}  // namespace ballast::train

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace ballast::optim {

struct AdamWConfig {
  double beta1 = 0.9;
  double beta2 = 0.95;
  double epsilon = 1e-8;
  double weight_decay = 0.1;
};

/// A run of local elements that are treated alike.
struct Group {
  std::size_t offset;
  std::size_t numel;
  bool decayed;
};

/// AdamW with decoupled weight decay (Loshchilov and Hutter 2019) over a rank's local spans. It
/// knows nothing of ranks: every element is updated by whoever owns it.
class AdamW {
 public:
  AdamW(const AdamWConfig& config, std::vector<Group> groups);

  struct Spans {
    std::span<const float> gradient;
    std::span<float> weight;
    std::span<float> moment1;
    std::span<float> moment2;
  };

  /// Update number `t` (from 1). `gradient_factor` multiplies every gradient: loss normalisation,
  /// clipping and unscaling in one.
  void update(std::uint64_t t, double lr, double gradient_factor, const Spans& spans) const;

 private:
  AdamWConfig config_;
  std::vector<Group> groups_;
};

}  // namespace ballast::optim

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/granule.hpp"
#include "comm/communicator.hpp"
#include "fsdp/shard_layout.hpp"
#include "optim/master_weights.hpp"
#include "train/watch/step_observer.hpp"

namespace ballast::train {

/// QK-Clip (Kimi Team 2025, arXiv:2507.20534, section 2.1): where the largest attention logit of a
/// step was above a threshold τ, W_q and W_k are scaled after the update, each by √(τ / largest),
/// so that the next step's logits are at most about τ. The paper clips single heads; this clips
/// whole blocks. Moments stay as they are. Blocks whose W_q or W_k is frozen are left alone.
class QkClip final : public StepObserver {
 public:
  /// `layout` must outlive this.
  QkClip(double threshold, const fsdp::ShardLayout& layout);

  void begin_step() override;
  void before_blocks(std::span<const float>) override {}
  void after_block(std::size_t layer, std::span<const float>,
                   const model::AttentionSignals& attention) override;
  void add_gradient(std::size_t, std::span<float>) override {}

  /// Every rank computes the same factors. Collective.
  void before_update(comm::Communicator& world) override;
  void after_unit(model::UnitId unit, const optim::MasterSlice& master) override;

  /// A line at most once in 100 steps.
  [[nodiscard]] std::optional<std::string> log_line(std::uint64_t step) override;

 private:
  [[nodiscard]] bool is_above(float logit) const { return static_cast<double>(logit) > threshold_; }

  /// A run of a query or key matrix within this rank's run of its unit.
  struct Run {
    std::size_t layer;
    std::size_t offset;
    std::size_t numel;
  };

  double threshold_;
  std::vector<bool> may_clip_;          ///< by layer: its queries and keys train
  std::vector<std::vector<Run>> runs_;  ///< by unit
  std::vector<float> largest_;       ///< [layers], of this step; first this rank's, then the job's
  std::vector<std::int64_t> words_;  ///< largest_ as integers, for the exchange
  std::array<float, kGranule> piece_{};
  bool was_agreed_ = false;          ///< largest_ is the job's; not if the update was skipped
  std::uint64_t clipped_steps_ = 0;  ///< since the last line
  std::uint64_t line_at_ = 0;        ///< step of the last line; 0: none
};

}  // namespace ballast::train

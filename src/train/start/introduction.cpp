#include "train/start/introduction.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

#include "base/text.hpp"
#include "train/plan/summary.hpp"
#include "train/settings/setting_changes.hpp"

namespace ballast::train {

namespace {

/// Whether the learning rate of one step, `before` in the checkpoint and `now` by these settings,
/// differs noticeably.
bool is_rate_jump(double before, double now) {
  constexpr double kSeen = 0.05;
  return std::abs(now - before) > kSeen * std::max(before, now);
}

std::string describe_job(const Job& job) {
  const DataConfig& data = job.config.data;
  return fmt::format("job: {} rank(s), {} leaves of {} sequences a step, {} tokens a step",
                     job.mesh.ranks(), data.leaves(), data.leaf_sequences(),
                     with_thousands(data.global_batch * data.seq_len));
}

std::string describe_memory(const MemoryPlan& plan) {
  return fmt::format(
      "memory planned on rank 0's host: {} ({}; {} of it shared), and {} ranks of up to {} besides",
      human_bytes(plan.host_bytes), describe(plan), human_bytes(plan.shared_bytes), plan.host_ranks,
      human_bytes(kProcessBytes));
}

}  // namespace

Lines introduce(const Job& job, const ModelInJob& model, const MemoryPlan& plan,
                std::span<const std::string> notes) {
  Lines lines{describe_model(job.model, model.layout().table(), job.config.optim.freeze),
              describe_job(job)};
  lines.insert(lines.end(), notes.begin(), notes.end());
  lines.push_back(describe_mode(job));
  lines.push_back(describe_precision(job.config));
  const ElementType param = job.config.precision.param;
  if (!model.gemm().is_native(param)) {
    lines.push_back(
        fmt::format("warning: this processor has no {} products; operands are rounded to {} "
                    "and multiplied in fp32, which is slower than fp32 alone",
                    name_of(param), name_of(param)));
  }
  lines.push_back(describe_memory(plan));
  return lines;
}

Lines introduce_resumed(const Job& job, const checkpoint::Checked& checkpoint,
                        const std::string& settings) {
  const auto& manifest = checkpoint.manifest;
  const std::uint64_t step = manifest.state.step;
  Lines lines{fmt::format("resumed from {} at step {}", checkpoint.folder.string(), step)};
  for (const auto& change : setting_changes(manifest.settings, settings)) {
    lines.push_back(fmt::format("changed since the checkpoint: {}", change));
  }
  const double now = job.schedule.lr(step);
  if (manifest.lr && is_rate_jump(*manifest.lr, now)) {
    lines.push_back(fmt::format(
        "warning: the learning rate jumps: it was {:.2e} at step {}, with these settings the "
        "schedule gives that step {:.2e} and the next {:.2e}",
        *manifest.lr, step, now, job.schedule.lr(step + 1)));
  }
  return lines;
}

}  // namespace ballast::train

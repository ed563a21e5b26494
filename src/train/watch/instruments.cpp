#include "train/watch/instruments.hpp"

#include "monitor/probe_record.hpp"
#include "train/watch/monitor_options.hpp"

namespace ballast::train {

namespace {

/// The log has all eigenvalues every kProbesBetweenEigenvalues · monitor.every steps, and for every
/// probe of held-out text; otherwise summaries alone.
constexpr std::uint64_t kProbesBetweenEigenvalues = 8;

}  // namespace

Instruments::Instruments(const Config& config_of_job, const monitor::MonitorOptions& options,
                         const kernels::Gemm& gemm, const fsdp::ShardLayout& layout)
    : config{&config_of_job},
      monitor{options, gemm},
      sample{probe_sample(config_of_job)},
      updates{layout} {
  if (config->experimental.kss == 0.0) return;
  shaping.emplace(monitor.rows(), monitor::shape_of(options), probe_tokens_of_micro_batch(*config),
                  gemm, config->experimental.kss);
}

void Instruments::write_probe(MetricsLog& log) const {
  const monitor::Probe& probe = monitor.probe();
  const bool in_full = !probe.of_step || probe.step == 1 ||
                       probe.step % (kProbesBetweenEigenvalues * config->monitor.every) == 0;
  log.probe(
      monitor::to_json(probe, in_full ? monitor::Eigenvalues::yes : monitor::Eigenvalues::no));
}

}  // namespace ballast::train

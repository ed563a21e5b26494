#include <fmt/format.h>

#include "base/option_row.hpp"
#include "monitor/cadence.hpp"
#include "monitor/spectral/spectral_probe.hpp"
#include "train/settings/section_keys.hpp"

namespace ballast::train {

using option_row::whole, option_row::number, option_row::choice, option_row::word;

Keys monitor_keys(MonitorConfig& c) {
  using monitor::SpectralProbe;
  return {
      {whole("monitor.every", c.every, kEvery,
             fmt::format("steps between probes of the residual stream; {} times as often in "
                         "warm-up and after an alert; 0: no monitor",
                         monitor::Cadence::kDenser)),
       Role::free()},
      {whole("monitor.tokens", c.tokens, {2, 1u << 24}, "tokens that a probe samples of a step"),
       Role::free()},
      {whole("monitor.rank", c.rank, {1, SpectralProbe::kWidest},
             fmt::format("{}", monitor::kDefaultRank),
             fmt::format("dimensions to which streams wider than {} are projected",
                         SpectralProbe::kWidest)),
       Role::free()},
      {whole("monitor.held_out_every", c.held_out_every, kEvery,
             fmt::format("{}", kDefaultHeldOutEvery),
             "steps between probes of held-out text; 0: none"),
       Role::free()},
      {choice("monitor.on_alert", c.on_alert,
              "what an alert does besides the log line: save, halve the learning rate, or stop "
              "with exit code 4"),
       Role::free()},
      {word("monitor.calibration", "FILE", c.calibration,
            "calibration of the risk, written by 'ballast monitor calibrate'; without one: the "
            "shipped one"),
       Role::free()},
  };
}

Keys experimental_keys(ExperimentalConfig& c) {
  return {
      {number("experimental.kss", c.kss, kZeroOrMore,
              "weight of a loss on the blocks' spectra while the monitor is in alarm, say 0.15 "
              "(Koopman Spectral Shaping); 0: off"),
       Role::free()},
      {number("experimental.qk_clip", c.qk_clip, kZeroOrMore,
              "limit on attention logits, say 100: above it the block's query and key weights are "
              "scaled down (QK-Clip); 0: off"),
       Role::free()},
  };
}

}  // namespace ballast::train

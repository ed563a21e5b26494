#pragma once

#include <cstddef>
#include <string>

#include "comm/communicator.hpp"
#include "data/dataset.hpp"
#include "monitor/monitor.hpp"
#include "train/settings/config.hpp"
#include "train/settings/identity.hpp"

namespace ballast::train {

/// What the residual stream of a model looks like before its first step: Residual Koopman Spectral
/// Profiling (Kim, Taniguchi, Kawano, Iwasawa and Matsuo 2026, arXiv:2602.22988, Algorithm 1).
struct InitialProfile {
  Identity model;                              ///< what was built, and with which initial scale
  data::Split text = data::Split::validation;  ///< that was read
  std::size_t asked = 0;                       ///< tokens that were asked for
  monitor::Probe probe;
};

/// Builds the model of `config` with fresh weights, or those of run.init, and probes it with
/// monitor.tokens tokens: of held-out text if there is some, otherwise of training text. The same
/// bits at any rank count, and the same as a training's first probe of that text. Collective. Usage
/// and data Errors as a training has them, and a usage Error where the text is shorter than the
/// probe.
[[nodiscard]] InitialProfile profile_at_start(comm::Communicator& world, const Config& config);

}  // namespace ballast::train

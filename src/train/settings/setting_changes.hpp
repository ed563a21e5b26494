#pragma once

#include <string>
#include <vector>

namespace ballast::train {

/// What differs between the settings of a checkpoint's run and those of the run that goes on from
/// it, both as INI text: "optim.lr: 0.0003 → 0.001". Where a run lies and what it resumes is left
/// out. Empty if the checkpoint is from before they were kept.
[[nodiscard]] std::vector<std::string> setting_changes(const std::string& before,
                                                       const std::string& now);

}  // namespace ballast::train

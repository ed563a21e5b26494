#pragma once

#include <map>
#include <string>
#include <vector>

namespace ballast::train {

/// "section.key" → value, of INI text as a run writes it into its directory; values that stand in
/// quotes there keep them.
[[nodiscard]] std::map<std::string, std::string> settings_of(const std::string& ini);

/// The differences between the settings of a checkpoint's run and those of the run that resumes it,
/// both as INI text: "optim.lr: 0.0003 → 0.001". Keys with OnResume::unreported are left out. Empty
/// if `before` is: an older checkpoint has no settings.
[[nodiscard]] std::vector<std::string> setting_changes(const std::string& before,
                                                       const std::string& now);

}  // namespace ballast::train

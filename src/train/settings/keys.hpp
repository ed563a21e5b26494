#pragma once

#include <string>
#include <vector>

#include "train/settings/config.hpp"
#include "train/settings/key.hpp"

namespace ballast::train {

/// Every key of a training's configuration, once, section by section: the source of the command
/// line, of configuration files, of the help, of config.resolved.ini and of a training's identity.
/// The rows read and write `config`, which must outlive them; the default of a key is the present
/// value of its field.
[[nodiscard]] std::vector<Key> keys(Config& config);

/// The options of these rows alone.
[[nodiscard]] std::vector<Option> key_options(Config& config);

}  // namespace ballast::train

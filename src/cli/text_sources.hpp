#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "comm/communicator.hpp"

namespace ballast::cli {

/// How what a configuration names becomes text.
struct TextSources {
  using Read = std::function<std::string(const std::filesystem::path&)>;

  Read file;   ///< a file's text
  Read model;  ///< the shape of a trained model, as the [model] section of an INI file
};

/// In a process by itself. Errors as whoever reads the files throws them.
[[nodiscard]] TextSources own_texts();

/// Rank 0 reads for all, so that every rank uses the same text, whatever its host has under that
/// name. What it returns is collective; it throws a usage Error on every rank if a file cannot be
/// read. `world` must outlive it.
[[nodiscard]] TextSources texts_of_root(comm::Communicator& world);

}  // namespace ballast::cli

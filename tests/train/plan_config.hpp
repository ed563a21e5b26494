#pragma once

#include <cstddef>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <string>
#include <unistd.h>

#include "base/process.hpp"
#include "data/prepare.hpp"
#include "support/world.hpp"
#include "train/config.hpp"

namespace ballast::test {

/// A byte dataset of this rank alone, gone at the end.
class DatasetFile {
 public:
  DatasetFile() {
    std::filesystem::create_directories(folder_);
    std::ofstream{folder_ / "text.txt"} << std::string(100000, 'a');
    data::prepare({.inputs = {(folder_ / "text.txt").string()}, .output = path()}, {});
  }
  ~DatasetFile() { std::filesystem::remove_all(folder_); }
  DatasetFile(const DatasetFile&) = delete;
  DatasetFile& operator=(const DatasetFile&) = delete;
  [[nodiscard]] std::filesystem::path path() const { return folder_ / "text.h5"; }

 private:
  std::filesystem::path folder_ = std::filesystem::temp_directory_path() /
                                  fmt::format("ballast-memory-{}-{}", ::getpid(), world().rank());
};

/// What all ranks take together at one moment, pages that they share counted once.
[[nodiscard]] inline std::int64_t host_memory() {
  world().barrier({"moment of measurement"});
  const auto own = static_cast<std::int64_t>(memory_use().pss);
  return world().sum(own, {"memory of the host"});
}

// The address sanitizer keeps an account of its own, some 8 MiB a rank.
#ifdef __SANITIZE_ADDRESS__
inline constexpr double kBookkeeping = 10.0 * (1 << 20);
#else
inline constexpr double kBookkeeping = 0.0;
#endif

/// Sizes that divide nothing evenly, a vocabulary of bytes, two leaves a rank and step.
[[nodiscard]] inline train::Config uneven_config(std::size_t ranks) {
  train::Config config;
  config.model.vocabulary = 259;
  config.model.dim = 36;
  config.model.layers = 5;
  config.model.heads = 6;
  config.model.kv_heads = 2;
  config.model.ffn = 101;
  config.data.seq_len = 24;
  config.data.micro_batch = 2;
  config.data.global_batch = 4 * ranks;
  return config;
}

}  // namespace ballast::test

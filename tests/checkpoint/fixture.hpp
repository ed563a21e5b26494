#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <gtest/gtest.h>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/checked_cast.hpp"
#include "base/error.hpp"
#include "base/hash.hpp"
#include "base/philox.hpp"
#include "checkpoint/checkpoint.hpp"
#include "checkpoint/checkpoint_weights.hpp"
#include "checkpoint/shard_file.hpp"
#include "fsdp/shard_layout.hpp"
#include "support/temporary_folder.hpp"
#include "support/world.hpp"

namespace ballast::checkpoint {

/// Tensors that end within a granule, at its end, and tensors smaller than one.
inline model::ModelConfig odd_config() {
  model::ModelConfig config;
  config.vocabulary = 131;
  config.dim = 32;
  config.layers = 3;
  config.heads = 4;
  config.kv_heads = 1;
  config.ffn = 47;
  return config;
}

/// A folder that all ranks of a communicator share; gone at the end.
class SharedFolder {
 public:
  explicit SharedFolder(comm::Communicator& world) : world_{&world} {
    if (world.is_root()) folder_.emplace();
    path_ = world.broadcast_text(folder_ ? folder_->path().string() : "", 0, {"test folder"});
  }
  ~SharedFolder() {
    if (!testing::Test::HasFatalFailure()) world_->barrier({"end of the test folder"});
  }
  SharedFolder(const SharedFolder&) = delete;
  SharedFolder& operator=(const SharedFolder&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  comm::Communicator* world_;
  std::optional<test::TemporaryFolder> folder_;
  std::filesystem::path path_;
};

/// Any bit pattern may be in a tensor: NaNs, infinities, denormals and negative zeros are among
/// these. It depends on the place in the model alone.
inline float test_value(std::uint64_t seed, Part part, std::size_t parameter, std::size_t element) {
  const Philox stream{seed, RandomPurpose::init, checked_cast<std::uint32_t>(parameter),
                      static_cast<std::uint32_t>(part)};
  return std::bit_cast<float>(stream(element)[0]);
}

/// A rank's shards.
class Shards {
 public:
  Shards(const model::ParameterTable& table, const comm::Communicator& world)
      : layout_{table,
                {1, checked_cast<std::size_t>(world.size())},
                checked_cast<std::size_t>(world.rank())} {
    for (const Part part : kParts) {
      values(part).resize(part == Part::master ? layout_.local_numel() : layout_.trained_numel());
    }
  }

  [[nodiscard]] const fsdp::ShardLayout& layout() const { return layout_; }
  [[nodiscard]] std::vector<float>& values(Part part) {
    return values_[static_cast<std::size_t>(part)];
  }
  [[nodiscard]] ShardTensors tensors() { return {std::span{values_[0]}, values_[1], values_[2]}; }

  Shards& fill(std::uint64_t seed) {
    visit([&](Part part, std::size_t parameter, std::size_t element, float& value) {
      value = test_value(seed, part, parameter, element);
    });
    return *this;
  }

  /// Elements that are not what `fill(seed)` would write, to the bit.
  [[nodiscard]] std::size_t differences(std::uint64_t seed) {
    std::size_t count = 0;
    visit([&](Part part, std::size_t parameter, std::size_t element, const float& value) {
      const float expected = test_value(seed, part, parameter, element);
      if (std::bit_cast<std::uint32_t>(value) != std::bit_cast<std::uint32_t>(expected)) ++count;
    });
    return count;
  }

 private:
  template <class Visit>
  void visit(Visit&& visit) {
    for (const Part part : kParts) {
      const std::span values{this->values(part)};
      for (const auto& segment : layout_.held_segments()) {
        if (part != Part::master && !layout_.trains(segment)) continue;
        for (std::size_t i = 0; i < segment.logical_numel; ++i) {
          visit(part, segment.parameter, segment.granules.first_element() + i,
                values[segment.local_offset + i]);
        }
      }
    }
  }

  fsdp::ShardLayout layout_;
  std::array<std::vector<float>, kParts.size()> values_;
};

inline SaveRequest request_for(const std::filesystem::path& run_dir, std::uint64_t step) {
  return {.run_dir = run_dir,
          .state = {.step = step,
                    .optimizer_steps = step - 1,
                    .seed = ~std::uint64_t{0},
                    .cursor = 12 * step,
                    .tokens = std::uint64_t{1} << 53 | 1,
                    .loss_scaler = {.scale = 0.1, .good_steps = 5, .tolerance = 1}},
          .identity = {{"model.dim", "32"}, {"data.content_hash", "\"ü\"\n"}},
          .numerics = "test"};
}

/// Saves `seed`'s values as step `step` of a run, from all ranks of `world`.
inline SaveResult save_step(comm::Communicator& world, const std::filesystem::path& run_dir,
                            std::uint64_t step, std::uint64_t seed, std::size_t keep = 9) {
  const model::ParameterTable table{odd_config()};
  Shards shards{table, world};
  auto request = request_for(run_dir, step);
  request.retention.keep = keep;
  return save(world, shards.fill(seed).layout(), shards.tensors(), request);
}

/// Loads a checkpoint on all ranks of `world` and expects `seed`'s values in it.
inline Manifest expect_loads(comm::Communicator& world, const std::filesystem::path& folder,
                             std::uint64_t seed) {
  const model::ParameterTable table{odd_config()};
  Shards shards{table, world};
  const Manifest manifest = load(world, shards.layout(), folder, shards.tensors());
  EXPECT_EQ(shards.differences(seed), 0u) << folder << " at " << world.size() << " ranks";
  return manifest;
}

/// Checks a checkpoint in this process and reads its weights whole.
inline void load_weights_of(const std::filesystem::path& folder, const model::ParameterTable& table,
                            std::span<float> weights) {
  const Checked checkpoint = check_alone(folder);
  CheckpointWeights source{table, checkpoint};
  load_weights(table, source, weights);
}

/// Runs `work`, a collective, on the first `ranks` ranks of the test's world.
inline void on_ranks(int ranks, const std::function<void(comm::Communicator&)>& work) {
  auto& world = test::world();
  const bool inside = world.rank() < ranks;
  auto part = world.split(inside ? 0 : 1);
  if (inside) work(part);
  world.barrier({"ranks of a part"});
}

/// Runs `work`, which must throw the same data Error on every rank, and returns its message.
inline std::string error_on_all_ranks(comm::Communicator& world,
                                      const std::function<void()>& work) {
  const std::string own = test::data_error_of(work);
  for (const auto& message : world.gather_texts(own, {"error messages"})) EXPECT_EQ(message, own);
  return own;
}

/// The text of a manifest of another format version, with the hash that belongs to it.
inline std::string of_version(const std::string& manifest, std::uint64_t version) {
  const std::string key = "\"format_version\": ";
  std::string text = manifest;
  text.replace(text.find(key), key.size() + 1, key + std::to_string(version));
  const std::string last = ",\n  \"manifest_hash\": \"";
  text.resize(text.rfind(last));
  return text + last + hash_of(std::span{std::as_const(text)}).hex() + "\"\n}\n";
}

/// What lies in a folder, sorted.
inline std::vector<std::string> names(const std::filesystem::path& folder) {
  std::vector<std::string> found;
  for (const auto& entry : std::filesystem::directory_iterator{folder}) {
    found.push_back(entry.path().filename().string());
  }
  std::ranges::sort(found);
  return found;
}

/// Runs `work` on the first rank while the others wait.
inline void on_root(comm::Communicator& world, const std::function<void()>& work) {
  world.barrier({"before the root's work"});
  if (world.is_root()) work();
  world.barrier({"after the root's work"});
}

}  // namespace ballast::checkpoint

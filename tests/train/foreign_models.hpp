#pragma once

#include <algorithm>
#include <filesystem>
#include <functional>
#include <gtest/gtest.h>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "checkpoint/fixture.hpp"
#include "comm/communicator.hpp"
#include "support/bytes.hpp"
#include "train/offline/export.hpp"
#include "train/offline/import.hpp"
#include "train/settings/identity.hpp"

namespace ballast::train {

/// The folders of tests/fixtures/models, by name.
inline std::vector<std::filesystem::path> foreign_models() {
  std::vector<std::filesystem::path> found;
  const std::filesystem::path models = std::filesystem::path{BALLAST_FIXTURES} / "models";
  for (const auto& entry : std::filesystem::directory_iterator{models}) {
    found.push_back(entry.path());
  }
  std::ranges::sort(found);
  return found;
}

inline std::filesystem::path foreign_model(const std::string& name) {
  return std::filesystem::path{BALLAST_FIXTURES} / "models" / name;
}

inline ExportOptions export_of(const std::filesystem::path& source,
                               const std::filesystem::path& output) {
  return {.checkpoint = source, .output = output, .program = "test"};
}

/// Every file of a folder, and its bytes.
inline std::vector<std::pair<std::string, std::string>> content(
    const std::filesystem::path& folder) {
  std::vector<std::pair<std::string, std::string>> files;
  for (const auto& name : checkpoint::names(folder)) {
    files.emplace_back(name, test::bytes_of_file(folder / name));
  }
  return files;
}

/// Runs `work`, which must throw the same Error of this code on every rank; its message.
inline std::string error_on_all(comm::Communicator& world, ExitCode code,
                                const std::function<void()>& work) {
  std::string own = "no error";
  try {
    work();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    own = error.what();
  }
  for (const auto& message : world.gather_texts(own, {"error messages"})) EXPECT_EQ(message, own);
  return own;
}

/// A checkpoint of ours, of any values, trained on text of a tokenizer.
inline std::filesystem::path save_own(const std::filesystem::path& run_dir,
                                      const model::ModelConfig& model,
                                      const data::DatasetInfo& text,
                                      std::span<const std::uint8_t> tokenizer = {}) {
  Config config;
  config.model = model;
  config.data.path = "corpus.h5";
  config.data.seq_len = 77;
  const model::ParameterTable table{config.model};
  checkpoint::Shards shards{table, test::world()};
  auto request = checkpoint::request_for(run_dir, 12);
  request.identity = make_identity(config, text);
  request.settings = "[optim]\nlr = 0.125\n";
  request.tokenizer_model = tokenizer;
  std::ranges::fill(shards.values(checkpoint::Part::master), 0.5f);
  return save(test::world(), shards.layout(), shards.tensors(), request).folder;
}

inline data::DatasetInfo text_of_bytes() {
  data::DatasetInfo text;
  text.tokenizer = "bytes";
  text.content_hash = "c0ffee";
  return text;
}

/// A copy of a folder that a test may change; the original's files stay. On the root.
inline void copy_of_model(const std::string& name, const std::filesystem::path& to) {
  std::filesystem::copy(foreign_model(name), to);
}

}  // namespace ballast::train

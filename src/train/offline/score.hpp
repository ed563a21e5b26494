#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "comm/communicator.hpp"
#include "data/split.hpp"
#include "tensor/element.hpp"
#include "train/settings/config.hpp"

namespace ballast::train {

/// What is to be scored: one of tokens, prompt and data.
struct ScoreOptions {
  std::filesystem::path checkpoint = {};  ///< a checkpoint, a run directory, or a foreign model
  std::vector<std::int32_t> tokens = {};
  std::string prompt = {};          ///< for the model's own tokenizer
  std::filesystem::path data = {};  ///< a dataset, window by window
  data::Split split = data::Split::validation;
  std::optional<std::size_t> seq_len = {};      ///< of the windows; nothing: as it was trained
  std::optional<std::size_t> micro_batch = {};  ///< windows at a time; nothing: as it was trained
  std::optional<ElementType> param = {};        ///< that it computes with; nothing: as trained
  std::size_t top = 0;  ///< likeliest tokens to tell of each place, up to the vocabulary; 0: none
  double timeout_s = ParallelConfig{}.timeout_s;
};

/// Log-probabilities, in nats, that a model gives each token after those before it, as JSON lines:
/// {"tokens":[5,7],"logprobs":[null,-1.5]}, of a dataset with its windows' numbers from 0 on. null:
/// the first token, which nothing comes before, and what is no finite number. Each reads back as
/// the same fp32. With `top`, lines have what the model held likeliest at each place, whatever then
/// stood there, the likeliest first and of equals the lower id: "top":[null,[[7,-0.5],[4,-1.5]]].
/// `print` takes the lines on rank 0, in order, as they come; the same bytes at any number of
/// ranks. Memory grows with the ranks' windows that are computed together (ScoredWave), not with
/// the dataset. Usage and data Errors name the option or the file. Collective.
void score(comm::Communicator& world, const ScoreOptions& options,
           const std::function<void(std::string_view line)>& print);

}  // namespace ballast::train

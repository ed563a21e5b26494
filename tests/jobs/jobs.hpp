#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "support/invoke.hpp"

namespace ballast::test {

/// Keys of a training and their values; later ones override.
using Keys = std::map<std::string, std::string>;

/// A model of odd sizes that trains in moments.
[[nodiscard]] inline Keys small_training(const std::string& data, const std::string& run_dir) {
  return {
      {"model.dim", "36"},     {"model.layers", "3"},     {"model.heads", "6"},
      {"model.kv_heads", "2"}, {"model.ffn", "101"},      {"data.path", data},
      {"data.seq_len", "24"},  {"data.micro_batch", "2"}, {"data.global_batch", "24"},
      {"run.dir", run_dir},    {"run.steps", "50"},       {"run.seed", "3"},
      {"optim.lr", "0.01"},    {"log.every", "1"},        {"parallel.timeout_s", "60"},
  };
}

[[nodiscard]] inline std::vector<std::string> train_command(const Keys& keys) {
  std::vector<std::string> words{"train"};
  for (const auto& [key, value] : keys) {
    words.push_back("--" + key);
    words.push_back(value);
  }
  return words;
}

/// Text without end, but with something to learn: words drawn by a fixed rule.
[[nodiscard]] inline std::string some_text(std::size_t bytes) {
  const std::vector<std::string> words{"keel ", "mast ", "the ", "sail ", "a ", "ballast\n", "of "};
  std::string text;
  unsigned state = 12345;
  while (text.size() < bytes) {
    state = state * 1664525u + 1013904223u;
    text += words[(state >> 16) % words.size()];
  }
  text.resize(bytes);
  return text;
}

/// A byte dataset under `folder`.
inline std::string make_dataset(const std::string& folder, std::size_t bytes = 400000) {
  write_file(folder + "/text.txt", some_text(bytes));
  const std::string path = folder + "/text.h5";
  const auto outcome = invoke({"prepare", "--input", folder + "/text.txt", "--output", path});
  if (outcome.exit_code != 0) throw std::runtime_error(outcome.err);
  return path;
}

/// The lines of a run's log.jsonl.
[[nodiscard]] inline std::vector<nlohmann::json> records(const std::string& run_dir) {
  std::vector<nlohmann::json> all;
  std::istringstream log{read_file(run_dir + "/log.jsonl")};
  for (std::string line; std::getline(log, line);) all.push_back(nlohmann::json::parse(line));
  return all;
}

/// What must be equal at any rank count: of each logged step its loss and gradient norm, as text
/// that reads back to the same bits.
[[nodiscard]] inline std::vector<std::string> trajectory(const std::string& run_dir) {
  std::vector<std::string> lines;
  for (const auto& record : records(run_dir)) {
    lines.push_back(fmt::format("{} {} {}", record.at("step").dump(), record.at("loss").dump(),
                                record.at("grad_norm").dump()));
  }
  return lines;
}

/// The state hash that a run printed last.
[[nodiscard]] inline std::string state_hash(const std::string& output) {
  const std::string label = "state hash ";
  const auto at = output.rfind(label);
  return at == std::string::npos ? "none" : output.substr(at + label.size(), 32);
}

/// What a finished training comes to: the same bits, or not.
struct Result {
  std::vector<std::string> trajectory;
  std::string hash;

  friend bool operator==(const Result&, const Result&) = default;
};

inline void PrintTo(const Result& result, std::ostream* out) {
  *out << "state hash " << result.hash << " after " << result.trajectory.size() << " steps:";
  for (const auto& line : result.trajectory) *out << "\n  " << line;
}

/// Runs a training that must come to its end.
inline Result run_training(const Keys& keys, const Launch& launch) {
  const auto outcome = invoke(train_command(keys), launch);
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err << outcome.out;
  return {trajectory(keys.at("run.dir")), state_hash(outcome.out)};
}

}  // namespace ballast::test

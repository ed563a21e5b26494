#pragma once

#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "reference/kernels.hpp"
#include "reference/model.hpp"
#include "support/temporary_folder.hpp"

/// Runs models through PyTorch (tests/parity/torch_model.py, float64).
namespace ballast::parity {

using Tensors = reference::Parameters<double>;

/// A model, a batch and AdamW steps of a constant rate on that batch. Parameters must be exact in
/// float; weight decay leaves out the gains of norms.
struct TorchCase {
  model::ModelConfig config;
  reference::Batch batch;
  Tensors parameters;
  reference::AdamW optimizer;
  unsigned steps;     ///< at least 1
  double clip = 0.0;  ///< largest global norm of the gradients; 0: no clipping
};

struct TorchResult {
  double loss;        ///< Σ weight · nll / Σ weight over labels that count
  Tensors gradients;  ///< of that loss
  Tensors weights;    ///< after the AdamW steps
};

namespace detail {

template <class T>
void write_values(const std::filesystem::path& path, const std::vector<T>& values) {
  std::ofstream file{path, std::ios::binary};
  file.write(reinterpret_cast<const char*>(values.data()),
             static_cast<std::streamsize>(values.size() * sizeof(T)));
  if (!file.flush()) throw std::runtime_error{"cannot write " + path.string()};
}

[[nodiscard]] inline std::vector<double> read_values(const std::filesystem::path& path,
                                                     std::size_t size) {
  std::vector<double> values(size);
  const auto bytes = static_cast<std::streamsize>(size * sizeof(double));
  std::ifstream file{path, std::ios::binary};
  file.read(reinterpret_cast<char*>(values.data()), bytes);
  if (file.gcount() != bytes || file.peek() != std::ifstream::traits_type::eof()) {
    throw std::runtime_error{path.string() + " does not hold " + std::to_string(size) + " doubles"};
  }
  return values;
}

[[nodiscard]] inline nlohmann::json rope_of(const kernels::RopeRule& rope) {
  return {{"base", rope.base},
          {"scaling", kernels::name_of(rope.scaling)},
          {"factor", rope.factor},
          {"original_context", rope.original_context},
          {"low_frequency", rope.low_frequency},
          {"high_frequency", rope.high_frequency},
          {"beta_fast", rope.beta_fast},
          {"beta_slow", rope.beta_slow},
          {"truncate", rope.truncate},
          {"magnitude", rope.magnitude}};
}

[[nodiscard]] inline nlohmann::json describe(const TorchCase& c) {
  return {
      {"model",
       {{"layers", c.config.layers},
        {"heads", c.config.heads},
        {"kv_heads", c.config.kv_heads},
        {"norm", kernels::name_of(c.config.norm)},
        {"norm_placement", model::name_of(c.config.norm_placement)},
        {"norm_epsilon", static_cast<double>(c.config.norm_epsilon)},
        {"head_dim", c.config.head_dim()},
        {"activation", model::name_of(c.config.activation)},
        {"position", model::name_of(c.config.position)},
        {"parallel_sublayers", c.config.parallel_sublayers},
        {"gain_offset", c.config.gain_offset},
        {"attention_scale", c.config.attention_scale},
        {"attention_softcap", c.config.attention_softcap},
        {"logit_softcap", c.config.logit_softcap},
        {"scale_embedding", c.config.scale_embedding},
        {"nope_every", c.config.nope_every},
        {"window", c.config.window.tokens},
        {"window_first", c.config.window.first_layer},
        {"window_all_every", c.config.window.all_every},
        {"rope", rope_of(c.config.rope)},
        {"qk_norm", c.config.qk_norm},
        {"tie_embeddings", c.config.tie_embeddings},
        {"document_attention", c.config.document_attention}}},
      {"sequences", c.batch.sequences},
      {"seq_len", c.batch.seq_len},
      {"weights", !c.batch.weights.empty()},
      {"tensors", reference::parameter_shapes(c.config)},
      {"optimizer",
       {{"lr", c.optimizer.lr},
        {"beta1", c.optimizer.beta1},
        {"beta2", c.optimizer.beta2},
        {"epsilon", c.optimizer.epsilon},
        {"weight_decay", c.optimizer.weight_decay},
        {"steps", c.steps},
        {"clip", c.clip}}},
  };
}

inline void write_case(const std::filesystem::path& folder, const TorchCase& c) {
  std::filesystem::create_directory(folder);
  std::ofstream{folder / "case.json"} << describe(c);
  write_values(folder / "ids.bin", c.batch.ids);
  write_values(folder / "labels.bin", c.batch.labels);
  write_values(folder / "segments.bin", c.batch.segments);
  write_values(folder / "positions.bin", c.batch.positions);
  if (!c.batch.weights.empty()) write_values(folder / "weights.bin", c.batch.weights);
  for (const auto& [name, values] : c.parameters) {
    std::vector<float> floats;
    for (const double value : values) floats.push_back(static_cast<float>(value));
    write_values(folder / ("p." + name + ".bin"), floats);
  }
}

[[nodiscard]] inline TorchResult read_result(const std::filesystem::path& folder,
                                             const TorchCase& c) {
  TorchResult result{read_values(folder / "loss.bin", 1).front(), {}, {}};
  for (const auto& [name, values] : c.parameters) {
    result.gradients[name] = read_values(folder / ("g." + name + ".bin"), values.size());
    result.weights[name] = read_values(folder / ("w." + name + ".bin"), values.size());
  }
  return result;
}

}  // namespace detail

/// Results in the order of the cases, all from one Python process: importing torch is slow. Throws
/// std::runtime_error when the script fails (its message is on standard error).
[[nodiscard]] inline std::vector<TorchResult> run_torch(const std::vector<TorchCase>& cases) {
  const test::TemporaryFolder temporary;
  const auto folder = [&](std::size_t i) { return temporary / std::to_string(i); };
  std::string command = "/usr/bin/python3 '" BALLAST_TEST_SOURCE_DIR "/parity/torch_model.py'";
  for (std::size_t i = 0; i < cases.size(); ++i) {
    detail::write_case(folder(i), cases[i]);
    command += " '" + folder(i).string() + "'";
  }
  if (const int status = std::system(command.c_str()); status != 0) {
    throw std::runtime_error{"torch_model.py ended with wait status " + std::to_string(status) +
                             "; it needs Debian's python3-torch"};
  }
  std::vector<TorchResult> results;
  for (std::size_t i = 0; i < cases.size(); ++i) {
    results.push_back(detail::read_result(folder(i), cases[i]));
  }
  return results;
}

}  // namespace ballast::parity

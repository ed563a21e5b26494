#include "model/parameter_rows.hpp"

#include <fmt/format.h>
#include <functional>
#include <numeric>

#include "model/sublayers.hpp"

namespace ballast::model {

namespace {

InitKind init_of(TensorRole role, bool gain_offset) {
  switch (role) {
    case TensorRole::gain:
      return gain_offset ? InitKind::zeros : InitKind::ones;
    case TensorRole::bias:
      return InitKind::zeros;
    default:
      return InitKind::normal;
  }
}

/// Collects rows and places each tensor on a granule boundary.
class RowList {
 public:
  explicit RowList(const ModelConfig& config) : gain_offset_{config.gain_offset} {}

  /// Nothing is added where the shape says that there is no such tensor.
  void add(std::string name, const TensorSpec& spec, TensorSlot slot = {}) {
    const std::size_t numel =
        std::accumulate(spec.shape.begin(), spec.shape.end(), std::size_t{1}, std::multiplies<>{});
    if (numel == 0) return;
    rows_.push_back({.name = std::move(name),
                     .shape = spec.shape,
                     .unit = 0,
                     .offset = 0,
                     .numel = numel,
                     .first_granule = granules_,
                     .decay = is_linear(spec.role) ? Decay::yes : Decay::no,
                     .init = init_of(spec.role, gain_offset_),
                     .init_std = spec.init_std,
                     .role = spec.role,
                     .slot = slot});
    granules_ += rows_.back().granules();
  }

  [[nodiscard]] std::size_t size() const { return rows_.size(); }
  std::vector<ParameterInfo> take() { return std::move(rows_); }

 private:
  bool gain_offset_;
  std::vector<ParameterInfo> rows_;
  std::size_t granules_ = 0;
};

TensorSpec gain_of_stream(const ModelConfig& config) {
  return {.name = {}, .label = {}, .shape = {config.dim}, .role = TensorRole::gain};
}

TensorSpec table_of_tokens(const ModelConfig& config) {
  return {.name = {},
          .label = {},
          .shape = {config.vocabulary, config.dim},
          .role = TensorRole::linear,
          .init_std = config.init_std};
}

/// A vector for each position of a text.
TensorSpec table_of_positions(const ModelConfig& config) {
  TensorSpec spec = table_of_tokens(config);
  spec.shape[0] = config.position == Position::learned ? config.context : 0;
  return spec;
}

void add_head(RowList& list, const ModelConfig& config) {
  if (config.has_final_norm()) list.add("final_norm", gain_of_stream(config));
  if (!config.tie_embeddings) list.add("head", table_of_tokens(config));
}

void add_block(RowList& list, const ModelConfig& config, std::size_t layer) {
  const auto name = [&](std::string_view tensor) {
    return fmt::format("block.{}.{}", layer, tensor);
  };
  std::size_t sublayer = 0;
  for (const SublayerKind kind : config.sublayers_of(layer)) {
    const SublayerSpec spec = list_of(kind, config);
    if (config.has_input_norms() || config.has_stream_norms()) {
      list.add(name(spec.norm), gain_of_stream(config), {sublayer, TensorSlot::kGain});
    }
    if (config.has_output_norms()) {
      list.add(name(spec.output_norm), gain_of_stream(config), {sublayer, TensorSlot::kOutputGain});
    }
    for (std::size_t i = 0; i < spec.tensors.size(); ++i) {
      list.add(name(spec.tensors[i].name), spec.tensors[i], {sublayer, i});
    }
    ++sublayer;
  }
}

}  // namespace

ParameterRows list_parameters(const ModelConfig& config) {
  RowList list{config};
  list.add("embedding", table_of_tokens(config));
  list.add("positions", table_of_positions(config));
  ParameterRows found{.rows = {}, .head = list.size(), .layers = {}};
  add_head(list, config);
  for (std::size_t layer = 0; layer < config.layers; ++layer) {
    found.layers.push_back(list.size());
    add_block(list, config, layer);
  }
  found.layers.push_back(list.size());
  found.rows = list.take();
  return found;
}

}  // namespace ballast::model

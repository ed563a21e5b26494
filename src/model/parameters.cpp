#include "model/parameters.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/ranges.h>
#include <functional>
#include <numeric>

#include "base/error.hpp"
#include "base/philox.hpp"
#include "kernels/lanes/math.hpp"
#include "model/sublayers.hpp"

namespace ballast::model {

namespace {

/// Collects rows unit by unit and places each tensor on a granule boundary.
class TableBuilder {
 public:
  void begin_unit(std::string name, std::size_t first_layer, std::size_t layers) {
    units_.push_back({std::move(name), parameters_.size(), 0, granules_, 0, first_layer, layers});
  }

  /// Nothing is added where the shape says that there is no such tensor.
  void add(std::string name, const TensorSpec& spec, TensorSlot slot = {}) {
    const bool is_gain = spec.role == TensorRole::gain;
    const std::size_t numel =
        std::accumulate(spec.shape.begin(), spec.shape.end(), std::size_t{1}, std::multiplies<>{});
    if (numel == 0) return;
    add({.name = std::move(name),
         .shape = spec.shape,
         .unit = units_.size() - 1,
         .offset = units_.back().padded_numel(),
         .numel = numel,
         .first_granule = granules_,
         .decay = is_gain ? Decay::no : Decay::yes,
         .init = is_gain ? InitKind::ones : InitKind::normal,
         .init_std = spec.init_std,
         .role = spec.role,
         .slot = slot});
  }

  [[nodiscard]] std::size_t parameters() const { return parameters_.size(); }
  std::vector<ParameterInfo> take_parameters() { return std::move(parameters_); }
  std::vector<UnitInfo> take_units() { return std::move(units_); }

 private:
  void add(ParameterInfo info) {
    const std::size_t granules = info.granules();
    units_.back().granules += granules;
    granules_ += granules;
    ++units_.back().parameters;
    parameters_.push_back(std::move(info));
  }

  std::vector<ParameterInfo> parameters_;
  std::vector<UnitInfo> units_;
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

void add_embedding(TableBuilder& table, const ModelConfig& config) {
  table.add("embedding", table_of_tokens(config));
}

void add_head(TableBuilder& table, const ModelConfig& config) {
  if (config.norm_placement == NormPlacement::pre) table.add("final_norm", gain_of_stream(config));
  if (!config.tie_embeddings) table.add("head", table_of_tokens(config));
}

void add_block(TableBuilder& table, const ModelConfig& config, std::size_t layer) {
  const auto name = [&](std::string_view tensor) {
    return fmt::format("block.{}.{}", layer, tensor);
  };
  std::size_t sublayer = 0;
  for (const SublayerKind kind : config.sublayers_of(layer)) {
    const SublayerSpec spec = list_of(kind, config);
    if (config.has_norms()) {
      table.add(name(spec.norm), gain_of_stream(config), {sublayer, TensorSlot::kGain});
    }
    for (std::size_t i = 0; i < spec.tensors.size(); ++i) {
      table.add(name(spec.tensors[i].name), spec.tensors[i], {sublayer, i});
    }
    ++sublayer;
  }
}

std::string unit_name(std::size_t first_layer, std::size_t layers) {
  return layers == 1 ? fmt::format("block.{}", first_layer)
                     : fmt::format("blocks.{}-{}", first_layer, first_layer + layers - 1);
}

/// Opens the units of embedding and head. `layers`: how many blocks will follow into the same unit.
/// Returns how many units there are.
std::size_t add_ends(TableBuilder& table, const ModelConfig& config, std::size_t layers) {
  const bool apart = layers == 0 && !config.tie_embeddings;
  table.begin_unit(layers > 0 ? "model" : apart ? "embedding" : "ends", 0, layers);
  add_embedding(table, config);
  if (apart) table.begin_unit("head", 0, 0);
  add_head(table, config);
  return apart ? 2 : 1;
}

/// How many blocks each unit holds that holds blocks alone.
std::vector<std::size_t> layers_by_unit(const Grouping& grouping, std::size_t layers) {
  if (grouping.ends == Grouping::Ends::everything) return {};
  auto by_unit = grouping.layers.empty() ? Grouping::per_block(layers).layers : grouping.layers;
  if (std::accumulate(by_unit.begin(), by_unit.end(), std::size_t{0}) != layers ||
      std::ranges::find(by_unit, std::size_t{0}) != by_unit.end()) {
    throw internal_error("the blocks of a model of {} are not grouped one by one into units: {}",
                         layers, fmt::join(by_unit, ", "));
  }
  return by_unit;
}

std::size_t largest_of(std::span<const UnitInfo> units) {
  std::size_t largest = 0;
  for (const auto& unit : units) largest = std::max(largest, unit.granules);
  return largest;
}

/// Four standard normal values from four uniform words (Box and Muller 1958).
std::array<double, 4> normals(const Philox::Block& words) {
  constexpr double kTwoPi = 6.283185307179586;
  std::array<double, 4> out{};
  for (std::size_t pair = 0; pair < 2; ++pair) {
    const double radius = std::sqrt(-2.0 * kernels::portable_log(open_unit(words[2 * pair])));
    const double angle = kTwoPi * open_unit(words[2 * pair + 1]);
    out[2 * pair] = radius * kernels::portable_cos(angle);
    out[2 * pair + 1] = radius * kernels::portable_sin(angle);
  }
  return out;
}

void fill_normal(const Philox& stream, double std, std::size_t first, std::span<float> out) {
  static_assert(kGranule % 4 == 0);  // `first` is a multiple of a draw's four values
  for (std::size_t i = 0; i < out.size(); i += 4) {
    const auto values = normals(stream((first + i) / 4));
    const std::size_t count = std::min<std::size_t>(4, out.size() - i);
    for (std::size_t j = 0; j < count; ++j) out[i + j] = static_cast<float>(std * values[j]);
  }
}

}  // namespace

ParameterTable::ParameterTable(const ModelConfig& config, const Grouping& grouping) {
  TableBuilder table;
  const bool everything = grouping.ends == Grouping::Ends::everything;
  ends_ = add_ends(table, config, everything ? config.layers : 0);
  std::size_t layer = 0;
  const auto add_blocks = [&](UnitId unit, std::size_t layers) {
    for (const std::size_t end = layer + layers; layer < end; ++layer) {
      units_of_layers_.push_back(unit);
      first_parameters_.push_back(table.parameters());
      add_block(table, config, layer);
    }
  };
  if (everything) add_blocks(kEmbeddingUnit, config.layers);
  UnitId unit = ends_;
  for (const std::size_t layers : layers_by_unit(grouping, config.layers)) {
    table.begin_unit(unit_name(layer, layers), layer, layers);
    add_blocks(unit++, layers);
  }
  first_parameters_.push_back(table.parameters());
  parameters_ = table.take_parameters();
  units_ = table.take_units();
}

std::span<const ParameterInfo> ParameterTable::parameters_of(UnitId id) const {
  const UnitInfo& info = unit(id);
  return parameters().subspan(info.first_parameter, info.parameters);
}

std::span<const ParameterInfo> ParameterTable::parameters_of_ends() const {
  return parameters().first(first_parameters_.front());
}

std::span<const ParameterInfo> ParameterTable::parameters_of_layer(std::size_t layer) const {
  const std::size_t first = first_parameters_.at(layer);
  return parameters().subspan(first, first_parameters_.at(layer + 1) - first);
}

std::optional<std::size_t> ParameterTable::layer_of(std::size_t parameter) const {
  const auto next = std::ranges::upper_bound(first_parameters_, parameter);
  if (next == first_parameters_.begin() || next == first_parameters_.end()) return {};
  return static_cast<std::size_t>(next - first_parameters_.begin()) - 1;
}

const ParameterInfo& ParameterTable::find(const std::string& name) const {
  const auto found = std::ranges::find(parameters_, name, &ParameterInfo::name);
  if (found == parameters_.end()) throw internal_error("the model has no parameter '{}'", name);
  return *found;
}

std::size_t ParameterTable::total_granules() const {
  return units_.back().first_granule + units_.back().granules;
}

std::uint64_t ParameterTable::total_numel() const {
  std::uint64_t numel = 0;
  for (const auto& parameter : parameters_) numel += parameter.numel;
  return numel;
}

std::size_t ParameterTable::largest_end_granules() const {
  return largest_of(units().first(ends_));
}

std::size_t ParameterTable::largest_block_granules() const {
  return largest_of(units().subspan(ends_));
}

void initialise(const ParameterInfo& parameter, std::size_t index, std::uint64_t seed,
                GranuleRange range, std::span<float> out) {
  const std::size_t first = range.first_element();
  const std::size_t logical = std::min(range.numel(), parameter.numel - first);
  if (parameter.init == InitKind::ones) {
    std::ranges::fill(out.first(logical), 1.0f);
  } else {
    const Philox stream{seed, RandomPurpose::init, static_cast<std::uint32_t>(index), 0};
    fill_normal(stream, parameter.init_std, first, out.first(logical));
  }
  std::ranges::fill(out.subspan(logical), 0.0f);
}

}  // namespace ballast::model

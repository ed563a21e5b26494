#include "model/parameters.hpp"

#include <algorithm>
#include <fmt/ranges.h>
#include <numeric>

#include "base/error.hpp"
#include "base/text.hpp"
#include "model/parameter_rows.hpp"

namespace ballast::model {

/// What the grouping puts together: rows [first, end) of the table.
struct ParameterTable::Group {
  std::string name;
  std::size_t first;
  std::size_t end;
};

namespace {

/// How many blocks each unit holds that holds blocks alone.
std::vector<std::size_t> layers_by_group(const Grouping& grouping, std::size_t layers) {
  if (grouping.ends == Grouping::Ends::everything) return {};
  auto by_group = grouping.layers.empty() ? Grouping::per_block(layers).layers : grouping.layers;
  if (std::accumulate(by_group.begin(), by_group.end(), std::size_t{0}) != layers ||
      std::ranges::find(by_group, std::size_t{0}) != by_group.end()) {
    throw internal_error("the blocks of a model of {} are not grouped one by one into units: {}",
                         layers, fmt::join(by_group, ", "));
  }
  return by_group;
}

std::string group_name(std::size_t first_layer, std::size_t layers) {
  return layers == 1 ? fmt::format("block.{}", first_layer)
                     : fmt::format("blocks.{}-{}", first_layer, first_layer + layers - 1);
}

/// `examples`: tensors of the ends and of one block, for the message.
void require_matches(const Freeze& freeze, std::span<const ParameterInfo> parameters,
                     std::span<const ParameterInfo> examples) {
  for (const std::string& pattern : freeze.patterns()) {
    const bool matches = std::ranges::any_of(
        parameters, [&](const ParameterInfo& row) { return is_match(pattern, row.name); });
    if (matches) continue;
    std::vector<std::string_view> names;
    for (const ParameterInfo& row : examples) names.push_back(row.name);
    throw usage_error(
        "optim.freeze: no tensor of the model is called '{}'; its tensors are {} and so on, and * "
        "stands for any text",
        excerpt(pattern), fmt::join(names, ", "));
  }
}

}  // namespace

ParameterTable::ParameterTable(const ModelConfig& config, const Grouping& grouping,
                               const Freeze& freeze, std::string name)
    : name_{std::move(name)} {
  ParameterRows listed = list_parameters(config);
  parameters_ = std::move(listed.rows);
  first_parameters_ = std::move(listed.layers);
  const std::size_t examples = first_parameters_.at(std::min<std::size_t>(1, layers()));
  require_matches(freeze, parameters_, parameters().first(examples));

  const std::size_t blocks = first_parameters_.front();
  if (grouping.ends == Grouping::Ends::everything) {
    add_group({"model", 0, parameters_.size()}, freeze);
  } else if (config.tie_embeddings) {
    add_group({"ends", 0, blocks}, freeze);
  } else {
    add_group({"embedding", 0, listed.head}, freeze);
    add_group({"head", listed.head, blocks}, freeze);
  }
  ends_ = units_.size();
  std::size_t layer = 0;
  for (const std::size_t layers : layers_by_group(grouping, config.layers)) {
    add_group(
        {group_name(layer, layers), first_parameters_[layer], first_parameters_[layer + layers]},
        freeze);
    layer += layers;
  }
  find_units_at_depths(config, listed.head);
}

/// One unit, or two where a part of the group is frozen.
void ParameterTable::add_group(const Group& group, const Freeze& freeze) {
  std::vector<std::size_t> frozen;
  std::vector<std::size_t> trained;
  for (std::size_t row = group.first; row < group.end; ++row) {
    (freeze.holds(parameters_[row].name) ? frozen : trained).push_back(row);
  }
  const bool is_cut = !frozen.empty() && !trained.empty();
  if (!frozen.empty()) add_unit(group.name + (is_cut ? ".frozen" : ""), false, std::move(frozen));
  if (!trained.empty()) add_unit(group.name + (is_cut ? ".trained" : ""), true, std::move(trained));
}

void ParameterTable::add_unit(std::string name, bool trains, std::vector<std::size_t> rows) {
  const std::size_t first = total_granules();
  std::size_t granules = 0;
  for (const std::size_t row : rows) {
    parameters_[row].unit = units_.size();
    parameters_[row].offset = granules * kGranule;
    granules += parameters_[row].granules();
  }
  if (!name_.empty()) name = fmt::format("{}.{}", name_, name);
  units_.push_back({std::move(name), trains, std::move(rows), first, granules, 0, 0});
}

/// `head`: the first row behind embedding and positions.
void ParameterTable::find_units_at_depths(const ModelConfig& config, std::size_t head) {
  units_at_.resize(head_depth() + 1);
  const auto use = [&](std::size_t row, Depth depth) {
    const UnitId id = parameters_[row].unit;
    auto& here = units_at_[depth];
    if (std::ranges::find(here, id) == here.end()) here.push_back(id);
  };
  const std::size_t blocks = first_parameters_.front();
  for (std::size_t row = 0; row < head; ++row) use(row, kEmbeddingDepth);
  if (config.tie_embeddings) use(0, head_depth());
  for (std::size_t row = head; row < blocks; ++row) use(row, head_depth());
  for (std::size_t row = blocks; row < parameters_.size(); ++row)
    use(row, depth_of(*layer_of(row)));
  for (Depth depth = units_at_.size(); depth-- > 0;) {
    std::ranges::sort(units_at_[depth]);
    for (const UnitId id : units_at_[depth]) {
      units_[id].lowest = depth;
      units_[id].highest = std::max(units_[id].highest, depth);
    }
  }
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

Depth ParameterTable::lowest_trained() const {
  Depth lowest = head_depth() + 1;
  for (const UnitInfo& unit : units_) {
    if (unit.trains) lowest = std::min(lowest, unit.lowest);
  }
  return lowest;
}

const ParameterInfo& ParameterTable::find(const std::string& name) const {
  const auto found = std::ranges::find(parameters_, name, &ParameterInfo::name);
  if (found == parameters_.end()) throw internal_error("the model has no parameter '{}'", name);
  return *found;
}

std::size_t ParameterTable::total_granules() const {
  return units_.empty() ? 0 : units_.back().first_granule + units_.back().granules;
}

std::uint64_t ParameterTable::total_numel() const {
  std::uint64_t numel = 0;
  for (const auto& parameter : parameters_) numel += parameter.numel;
  return numel;
}

std::uint64_t ParameterTable::trained_numel() const {
  std::uint64_t numel = 0;
  for (const auto& parameter : parameters_) numel += trains(parameter) ? parameter.numel : 0;
  return numel;
}

}  // namespace ballast::model

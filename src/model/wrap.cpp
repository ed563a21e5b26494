#include "model/wrap.hpp"

#include <algorithm>
#include <vector>

#include "base/error.hpp"
#include "base/text.hpp"
#include "model/count_after.hpp"
#include "model/parameters.hpp"

namespace ballast::model {

namespace {

/// Logical parameters of each block.
std::vector<std::uint64_t> block_sizes(const ModelConfig& config) {
  const ParameterTable table{config};
  std::vector<std::uint64_t> sizes(config.layers);
  for (std::size_t layer = 0; layer < config.layers; ++layer) {
    for (const auto& parameter : table.parameters_of_layer(layer)) sizes[layer] += parameter.numel;
  }
  return sizes;
}

/// Consecutive blocks are joined until a unit has at least n parameters, the last may have fewer.
Grouping by_size(const ModelConfig& config, std::uint64_t n) {
  const auto sizes = block_sizes(config);
  std::uint64_t all = 0;
  for (const std::uint64_t size : sizes) all += size;
  if (n == 0 || n > all) {
    throw usage_error(
        "parallel.wrap = size:{} matches nothing: the {} blocks have {} parameters "
        "together, so write size:N with N from 1 to {}",
        n, config.layers, with_thousands(all), all);
  }
  Grouping grouping;
  std::uint64_t joined = n;
  for (const std::uint64_t size : sizes) {
    if (joined >= n) {
      grouping.layers.push_back(0);
      joined = 0;
    }
    ++grouping.layers.back();
    joined += size;
  }
  return grouping;
}

}  // namespace

std::optional<Wrap> Wrap::parse(std::string_view text) {
  if (text == "block") return block();
  if (text == "whole") return whole();
  if (const auto n = count_after("blocks:", text)) return blocks(*n);
  if (const auto n = count_after("size:", text)) return size(*n);
  return std::nullopt;
}

Grouping Wrap::grouping(const ModelConfig& config) const {
  switch (by_) {
    case By::block:
      return Grouping::per_block(config.layers);
    case By::count:
      return Grouping::blocks(config.layers, n_);
    case By::size:
      return by_size(config, n_);
    case By::whole:
      return Grouping::whole();
  }
  throw internal_error("parallel.wrap has no value");
}

std::string Wrap::name() const {
  switch (by_) {
    case By::block:
      return "block";
    case By::count:
      return fmt::format("blocks:{}", n_);
    case By::size:
      return fmt::format("size:{}", n_);
    case By::whole:
      return "whole";
  }
  return "?";
}

}  // namespace ballast::model

#pragma once

#include <span>

#include "comm/communicator.hpp"
#include "fsdp/shard_layout.hpp"
#include "model/parameters.hpp"
#include "model/weight_source.hpp"
#include "optim/master_weights.hpp"

namespace ballast::checkpoint {

/// Fills the weights that this rank holds. Ranks hear of each other after every 60 MiB of a
/// training's state, as in a save. If one cannot read, all throw the same data Error. Collective.
void load_weights(comm::Communicator& world, const fsdp::ShardLayout& layout,
                  model::WeightSource& source, const optim::MasterWeights& weights);

/// All weights in one process: in canonical order, granule-padded (table.total_granules() ·
/// kGranule elements).
void load_weights(const model::ParameterTable& table, model::WeightSource& source,
                  std::span<float> weights);

/// Passes every tensor on, a MiB at a time or what the sink wants together, from any source to any
/// sink. The work is dealt out over the ranks, which hear of each other as in load_weights.
/// Collective.
void copy_weights(comm::Communicator& world, const model::ParameterTable& table,
                  model::WeightSource& source, model::WeightSink& sink);

}  // namespace ballast::checkpoint

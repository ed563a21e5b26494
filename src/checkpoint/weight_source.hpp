#pragma once

#include <span>

#include "base/granule.hpp"
#include "comm/communicator.hpp"
#include "fsdp/shard_layout.hpp"
#include "model/parameters.hpp"
#include "optim/master_weights.hpp"

namespace ballast::checkpoint {

/// Where the weights of a model come from, tensor by tensor: a checkpoint of this program, or a
/// file of another format.
class WeightSource {
 public:
  virtual ~WeightSource() = default;

  /// Fills `out` (range.numel() elements) with granules of a tensor, counted from its start, as
  /// fp32; padding is zero. A data Error names the file.
  virtual void read(const model::ParameterInfo& tensor, GranuleRange range,
                    std::span<float> out) = 0;
};

/// Fills the weights that this rank holds. The ranks exchange a message after every 60 MiB of a
/// training's state, as in a save. If one cannot read, all throw the same data Error. Collective.
void load_weights(comm::Communicator& world, const fsdp::ShardLayout& layout, WeightSource& source,
                  const optim::MasterWeights& weights);

/// All weights in one process: in canonical order, granule-padded (table.total_granules() ·
/// kGranule elements).
void load_weights(const model::ParameterTable& table, WeightSource& source,
                  std::span<float> weights);

}  // namespace ballast::checkpoint

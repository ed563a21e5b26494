#include "checkpoint/weight_source.hpp"

#include <algorithm>
#include <vector>

#include "base/checked_cast.hpp"
#include "base/error.hpp"
#include "checkpoint/shard_file.hpp"
#include "comm/agree.hpp"

namespace ballast::checkpoint {

namespace {

/// A run of one tensor that is read at a time, and where it goes.
struct Piece {
  std::size_t parameter;
  GranuleRange granules;
  std::size_t local_offset;
};

std::vector<Piece> pieces_of(const fsdp::ShardLayout& layout) {
  std::vector<Piece> pieces;
  for (const auto& segment : layout.held_segments()) {
    for (std::size_t done = 0; done < segment.granules.count; done += kPieceGranules) {
      const std::size_t count = std::min(kPieceGranules, segment.granules.count - done);
      pieces.push_back({segment.parameter,
                        {segment.granules.first + done, count},
                        segment.local_offset + done * kGranule});
    }
  }
  return pieces;
}

}  // namespace

void load_weights(comm::Communicator& world, const fsdp::ShardLayout& layout, WeightSource& source,
                  const optim::MasterWeights& weights) {
  constexpr std::size_t kPiecesAStep = kStepGranules / kPieceGranules;
  const auto pieces = pieces_of(layout);
  const std::size_t own_steps = (pieces.size() + kPiecesAStep - 1) / kPiecesAStep;
  const auto steps =
      world.max(checked_cast<std::int64_t>(own_steps), {"weights", "steps of reading"});
  std::vector<float> values(kPieceGranules * kGranule);
  comm::agree_stepwise(world, "weights", checked_cast<std::size_t>(steps), [&](std::size_t step) {
    const std::size_t end = std::min(pieces.size(), (step + 1) * kPiecesAStep);
    for (std::size_t i = step * kPiecesAStep; i < end; ++i) {
      const auto out = std::span{values}.first(pieces[i].granules.numel());
      source.read(layout.table().parameters()[pieces[i].parameter], pieces[i].granules, out);
      weights.write(pieces[i].local_offset, out);
    }
  });
}

void load_weights(const model::ParameterTable& table, WeightSource& source,
                  std::span<float> weights) {
  if (weights.size() != table.total_granules() * kGranule) {
    throw internal_error("weights: {} elements for {} granules", weights.size(),
                         table.total_granules());
  }
  for (const auto& parameter : table.parameters()) {
    for (std::size_t first = 0; first < parameter.granules(); first += kPieceGranules) {
      const GranuleRange range{first, std::min(kPieceGranules, parameter.granules() - first)};
      source.read(parameter, range,
                  weights.subspan((parameter.first_granule + first) * kGranule, range.numel()));
    }
  }
}

}  // namespace ballast::checkpoint

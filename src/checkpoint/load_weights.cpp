#include "checkpoint/load_weights.hpp"

#include <algorithm>
#include <vector>

#include "base/checked_cast.hpp"
#include "base/error.hpp"
#include "checkpoint/shard_file.hpp"
#include "comm/agree.hpp"

namespace ballast::checkpoint {

namespace {

/// A run of one tensor that is read at a time, and where in a flat shard it goes.
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

/// Those of the whole model that are this rank's turn: neighbors go to different ranks, so that all
/// read the same files at a time.
std::vector<Piece> dealt_pieces(const model::ParameterTable& table, const model::WeightSink& sink,
                                const comm::Communicator& world) {
  const auto ranks = checked_cast<std::size_t>(world.size());
  const auto rank = checked_cast<std::size_t>(world.rank());
  std::vector<Piece> pieces;
  std::size_t number = 0;
  for (std::size_t row = 0; row < table.parameters().size(); ++row) {
    const std::size_t granules = table.parameters()[row].granules();
    const std::size_t together = sink.granules_together(table.parameters()[row]);
    const std::size_t most = std::max<std::size_t>(kPieceGranules / together, 1) * together;
    for (std::size_t first = 0; first < granules; first += most, ++number) {
      if (number % ranks != rank) continue;
      pieces.push_back({row, {first, std::min(most, granules - first)}, 0});
    }
  }
  return pieces;
}

/// Ranks with fewer pieces take part in all steps.
template <class Act>
void for_each_piece(comm::Communicator& world, const std::vector<Piece>& pieces, Act&& act) {
  constexpr std::size_t kPiecesAStep = kStepGranules / kPieceGranules;
  const std::size_t own_steps = (pieces.size() + kPiecesAStep - 1) / kPiecesAStep;
  const auto steps =
      world.max(checked_cast<std::int64_t>(own_steps), {"weights", "steps of reading"});
  comm::agree_stepwise(world, "weights", checked_cast<std::size_t>(steps), [&](std::size_t step) {
    const std::size_t end = std::min(pieces.size(), (step + 1) * kPiecesAStep);
    for (std::size_t i = step * kPiecesAStep; i < end; ++i) act(pieces[i]);
  });
}

}  // namespace

void load_weights(comm::Communicator& world, const fsdp::ShardLayout& layout,
                  model::WeightSource& source, const optim::MasterWeights& weights) {
  std::vector<float> values(kPieceGranules * kGranule);
  for_each_piece(world, pieces_of(layout), [&](const Piece& piece) {
    const auto out = std::span{values}.first(piece.granules.numel());
    source.read(layout.table().parameters()[piece.parameter], piece.granules, out);
    weights.write(piece.local_offset, out);
  });
}

void copy_weights(comm::Communicator& world, const model::ParameterTable& table,
                  model::WeightSource& source, model::WeightSink& sink) {
  std::vector<float> values;
  for_each_piece(world, dealt_pieces(table, sink, world), [&](const Piece& piece) {
    values.resize(std::max(values.size(), piece.granules.numel()));
    const auto part = std::span{values}.first(piece.granules.numel());
    const auto& tensor = table.parameters()[piece.parameter];
    source.read(tensor, piece.granules, part);
    sink.write(tensor, piece.granules, part);
  });
}

void load_weights(const model::ParameterTable& table, model::WeightSource& source,
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

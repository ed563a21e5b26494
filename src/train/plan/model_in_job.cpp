#include "train/plan/model_in_job.hpp"

#include <algorithm>
#include <span>
#include <vector>

#include "base/error.hpp"
#include "checkpoint/load_weights.hpp"
#include "comm/agree.hpp"
#include "model/initialize.hpp"

namespace ballast::train {

namespace {

/// Granules of weights that are drawn at a time (1 MiB).
constexpr std::size_t kInitializedGranules = 256;

}  // namespace

ModelInJob::ModelInJob(comm::Communicator& world, const Blueprint& blueprint, std::size_t rank)
    : workspace_{blueprint, rank},
      connection_{world, blueprint.transports.topology, workspace_.needs(),
                  workspace_.parameters()},
      training_program_{model::training_program(workspace_.model().table())},
      evaluation_program_{model::evaluation_program(workspace_.model().table())} {}

void ModelInJob::load(const Fill& fill) {
  has_weights_ = false;
  parameters().begin_version();
  fill(tensors());
  parameters().publish_all();
  has_weights_ = true;
}

void ModelInJob::load_weights(comm::Communicator& world, const OpenWeights& open) {
  std::unique_ptr<model::WeightSource> weights;
  comm::agree(world, "tensors of the model", [&] { weights = open(layout().table()); });
  load([&](const checkpoint::ShardTensors& tensors) {
    checkpoint::load_weights(world, layout(), *weights, tensors.master);
    std::ranges::fill(tensors.moment1, 0.0f);
    std::ranges::fill(tensors.moment2, 0.0f);
  });
}

void ModelInJob::initialize(std::uint64_t seed) {
  load([&](const checkpoint::ShardTensors& tensors) {
    const auto& table = layout().table();
    std::vector<float> values(kInitializedGranules * kGranule);
    for (const auto& segment : layout().held_segments()) {
      for (std::size_t done = 0; done < segment.granules.count; done += kInitializedGranules) {
        const GranuleRange piece{segment.granules.first + done,
                                 std::min(kInitializedGranules, segment.granules.count - done)};
        const auto part = std::span{values}.first(piece.numel());
        model::initialize(table.parameters()[segment.parameter], segment.parameter, seed, piece,
                          part);
        tensors.master.write(segment.local_offset + done * kGranule, part);
      }
    }
    std::ranges::fill(tensors.moment1, 0.0f);
    std::ranges::fill(tensors.moment2, 0.0f);
  });
}

void ModelInJob::require_weights() const {
  if (!has_weights_) throw internal_error("a model without weights was asked to compute");
}

}  // namespace ballast::train

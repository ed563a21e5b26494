#pragma once

#include <functional>
#include <vector>

#include "comm/communicator.hpp"
#include "data/dataset.hpp"
#include "fsdp/sharded_parameters.hpp"
#include "model/transformer.hpp"
#include "train/batch_loader.hpp"
#include "train/watch/step_observer.hpp"

namespace ballast::train {

struct EvalResult {
  double loss = 0.0;                       ///< mean negative log-likelihood a label, in nats
  double bits_per_byte = 0.0;              ///< Σ nll ÷ (ln 2 · raw bytes of the labels)
  std::vector<model::LossFigure> figures;  ///< that the loss tells besides itself
};

/// The loss over the whole validation split: batch i goes to rank i mod N, sums are exact, so the
/// result is the same at any rank count. Collective.
EvalResult validate(comm::Communicator& world, const data::Dataset& dataset,
                    model::Transformer& model, fsdp::ShardedParameters& parameters,
                    BatchLoader& loader, const model::StepProgram& program);

/// The batch that starts with window (or sample) `first`, valid until the next.
using LoadBatch = std::function<const model::Batch&(std::size_t first)>;

/// A forward pass over `batches` batches, spread over ranks as above; `observer` is told of each by
/// its first window. Collective.
void show_batches(comm::Communicator& world, model::Transformer& model,
                  fsdp::ShardedParameters& parameters, const model::StepProgram& program,
                  std::size_t batches, const LoadBatch& load, StepObserver& observer);

}  // namespace ballast::train

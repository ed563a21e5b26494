#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "comm/communicator.hpp"
#include "data/dataset.hpp"
#include "model/batch.hpp"
#include "train/batch_loader.hpp"
#include "train/deal.hpp"
#include "train/plan/model_in_job.hpp"
#include "train/watch/step_observer.hpp"

namespace ballast::train {

/// The result of an evaluation on held-out text.
struct EvalResult {
  double loss = 0.0;  ///< mean negative log-likelihood a label, in nats
  /// Σ nll ÷ (ln 2 · raw bytes of the labels); nothing where nobody knows their bytes.
  std::optional<double> bits_per_byte = std::nullopt;
  std::vector<model::LossFigure> figures = {};  ///< that the loss tells besides itself
};

/// The loss over the whole validation split: batch i goes to rank i mod N, sums are exact, so the
/// result is the same at any rank count. Collective.
EvalResult validate(comm::Communicator& world, const data::Dataset& dataset, ModelInJob& model,
                    BatchLoader& loader);

/// Loads a piece, of one micro-batch.
using LoadPiece = std::function<const model::Batch&(std::size_t piece)>;
/// Takes what the model says of it: each label's negative log-likelihood, [tokens], in nats.
using TakeLosses =
    std::function<void(std::size_t piece, const model::Batch& batch, std::span<const float> nll)>;

/// Forward passes over pieces, spread over ranks as above, each label by itself. Collective.
void measure(const comm::Communicator& world, ModelInJob& model, const Pieces& pieces,
             const LoadPiece& load, const TakeLosses& take);

/// A batch, valid until the next one is loaded, and the window (or sample) that it starts with.
struct Shown {
  std::uint64_t first;
  const model::Batch& batch;
};
using LoadShown = std::function<Shown(std::size_t piece, std::size_t micro_batch)>;

/// Forward passes over pieces, dealt to the ranks in the same way, that `observer` sees. Returns
/// this rank's sums. Collective.
model::LossSums show(const comm::Communicator& world, ModelInJob& model, const Pieces& pieces,
                     StepObserver& observer, const LoadShown& load);

}  // namespace ballast::train

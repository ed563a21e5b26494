#pragma once

#include <algorithm>
#include <cstddef>

#include "base/checked_cast.hpp"
#include "comm/communicator.hpp"
#include "fsdp/sharded_parameters.hpp"
#include "model/step_program.hpp"

namespace ballast::train {

/// Work that is numbered over the whole job: leaves of a step, batches of a text.
struct Pieces {
  std::size_t count;
  std::size_t micro_batches = 1;  ///< of each piece, one after the other
};

/// Deals pieces to the N ranks of `world` wave by wave: in wave w rank r gets piece w · N + r. For
/// each micro-batch a rank calls `work(piece, micro_batch)`, which computes it by `program`. If the
/// last wave has no piece for a rank, it calls `walk()`, which must visit the same units in the
/// same order. Collective.
template <class Work, class Walk>
void deal(const comm::Communicator& world, fsdp::ShardedParameters& parameters,
          const model::StepProgram& program, const Pieces& pieces, Work&& work, Walk&& walk) {
  const auto ranks = checked_cast<std::size_t>(world.size());
  const auto rank = checked_cast<std::size_t>(world.rank());
  for (std::size_t first = 0; first < pieces.count; first += ranks) {
    parameters.begin_wave({std::min(ranks, pieces.count - first), first, pieces.count});
    for (std::size_t micro = 0; micro < pieces.micro_batches; ++micro) {
      parameters.begin_micro_batch(micro, program);
      if (first + rank < pieces.count) {
        work(first + rank, micro);
      } else {
        walk();
      }
    }
  }
}

}  // namespace ballast::train

#pragma once

#include <cstddef>
#include <cstdint>

#include "comm/board.hpp"
#include "comm/communicator.hpp"
#include "comm/rank_range.hpp"

namespace ballast::comm {

/// Waits until every rank of `ranks` has posted `value` of `kind`; rank r of the board is rank r of
/// `comm`. Meanwhile MPI makes progress, so that transfers under way go on. The time counts as
/// `skew_s` in the communicator's timings. If no further rank arrives within the timeout, an error
/// message names the missing ranks and the process ends, as in a collective.
void await(Communicator& comm, const Board& board, std::size_t kind, RankRange ranks,
           std::uint32_t value, Place place);

}  // namespace ballast::comm

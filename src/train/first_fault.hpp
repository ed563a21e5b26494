#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "comm/communicator.hpp"
#include "fsdp/leaf_fold.hpp"
#include "model/nonfinite.hpp"
#include "model/parameters.hpp"

namespace ballast::train {

/// The first value of this rank's forward passes that was not finite.
struct ForwardFault {
  std::size_t leaf;
  model::NonFinite place;
};

/// The first value of a step that was not finite, over all ranks, in words: "block.3 of the forward
/// pass, on rank 1/4 (node02), leaf 5", or the tensor whose gradient it was and the rank that
/// computed it. Forward passes come before gradients, lower leaves before higher ones. The same on
/// every rank. Collective.
[[nodiscard]] std::string name_first_fault(comm::Communicator& world,
                                           const model::ParameterTable& table,
                                           const std::optional<ForwardFault>& forward,
                                           const std::optional<fsdp::Offender>& gradient);

}  // namespace ballast::train

#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string_view>
#include <utility>

#include "base/error.hpp"
#include "comm/communicator.hpp"

namespace ballast::comm {

/// Runs `work` on every rank. If it throws an Error on any, every rank throws the Error of the
/// lowest failing rank, with its name: a file that one host cannot see ends the job with one
/// message and one exit code, instead of leaving the others waiting. Collective; `work` itself must
/// not communicate. `what` is the same on every rank, like a Place.
void agree(Communicator& world, std::string_view what, const std::function<void()>& work);

/// Long work in steps: every rank calls `work(step)` for the steps 0 to steps - 1 (the same number
/// on every rank; `work` returns at once if a rank has nothing left to do), and waits for the
/// others after each. So no rank waits longer than the slowest step takes, and the timeout of
/// collectives need not cover the whole work. After a step in which `work` threw an Error on any
/// rank, every rank throws that Error, as in agree(). Collective.
void agree_stepwise(Communicator& world, std::string_view what, std::size_t steps,
                    const std::function<void(std::size_t step)>& work);

/// The same for work that returns a value.
template <class Value>
[[nodiscard]] Value agree_on(Communicator& world, std::string_view what,
                             const std::function<Value()>& work) {
  std::optional<Value> value;
  agree(world, what, [&] { value.emplace(work()); });
  return std::move(*value);
}

}  // namespace ballast::comm

#pragma once

#include <functional>
#include <optional>
#include <string_view>
#include <utility>

#include "base/error.hpp"
#include "comm/communicator.hpp"

namespace ballast::comm {

/// Runs `work` on every rank; if it throws an Error on any, every rank throws the Error of the
/// lowest failing rank, named. So a file that one host cannot see ends the job with one message and
/// one exit code, instead of leaving the others waiting. Collective; `work` itself must not
/// communicate. `what` says the same on every rank, like a Place.
void agree(Communicator& world, std::string_view what, const std::function<void()>& work);

/// The same when a value comes out of it.
template <class Value>
[[nodiscard]] Value agree_on(Communicator& world, std::string_view what,
                             const std::function<Value()>& work) {
  std::optional<Value> value;
  agree(world, what, [&] { value.emplace(work()); });
  return std::move(*value);
}

}  // namespace ballast::comm

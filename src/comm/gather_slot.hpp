#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "comm/communicator.hpp"

namespace ballast::comm {

/// An all-gather that goes on while the rank does other work: the weights of the next unit arrive
/// during the computation of this one. Several slots may be under way on one communicator; every
/// rank starts its gathers, and its other collectives, in the same order.
///
/// Bytes move only while a rank is inside MPI: call `poke` now and then; other collectives help
/// too. Time in any member counts as `work_s` in the communicator's timings: `finish` cannot tell
/// whether it waits for bytes under way or for a peer that has not started.
class GatherSlot {
 public:
  /// `comm` must outlive the slot, and stay where it is.
  explicit GatherSlot(Communicator& comm);
  /// Gives up on a gather under way, as when an error unwinds; its buffers should live on until
  /// the process ends, since a peer's bytes may be on their way into them.
  ~GatherSlot();
  GatherSlot(GatherSlot&&) noexcept;
  GatherSlot& operator=(GatherSlot&&) noexcept;

  /// Like Communicator::all_gather, up to `finish`: until then the bytes, and the texts of `place`,
  /// must stay as they are; `counts` and `offsets` may go. Nothing may be under way in this slot.
  void start(std::span<const std::byte> own, std::span<std::byte> receive,
             std::span<const std::size_t> counts, std::span<const std::size_t> offsets,
             Place place);
  /// Between `start` and `finish`.
  [[nodiscard]] bool under_way() const { return under_way_; }
  /// Lets bytes move, without waiting. Does nothing when nothing is under way.
  void poke();
  /// Waits until all parts are there; returns at once when nothing is under way. If none arrives
  /// within the communicator's timeout, names the missing ranks and ends the process.
  void finish();

 private:
  /// Gives up when `act` throws.
  template <class Act>
  void timed(Act&& act);

  Communicator* comm_;
  std::unique_ptr<Exchange> exchange_;
  Place place_;
  bool under_way_ = false;
};

}  // namespace ballast::comm

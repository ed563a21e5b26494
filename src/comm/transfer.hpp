#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "comm/communicator.hpp"

namespace ballast::comm {

/// Messages that go on while the rank does other work: the weights of the next unit arrive during
/// the computation of this one. Several transfers may be under way on one communicator; its ranks
/// start their transfers, and their collectives on it, in the same order.
///
/// Bytes move only while a rank is inside MPI: call `poke` now and then; other collectives help
/// too. Time in any member counts as `work_s` in the communicator's timings: `finish` cannot tell
/// whether it waits for bytes under way or for a peer that has not started.
class Transfer {
 public:
  /// `comm` must outlive the transfer, and stay where it is.
  explicit Transfer(Communicator& comm);
  /// Gives up on messages under way, as when an error unwinds; their buffers should live on until
  /// the process ends, since a peer's bytes may be on their way into them.
  ~Transfer();
  Transfer(Transfer&&) noexcept;
  Transfer& operator=(Transfer&&) noexcept;

  /// Begins a transfer: an internal Error while another is under way in this object. `place` is the
  /// same on every rank, and its texts must live until `finish`.
  void start(Place place);
  /// Posts messages of the transfer that has started: both sides agree on their sizes and, between
  /// two ranks, on their order. The bytes must stay as they are until `finish`.
  void send(std::span<const std::byte> bytes, std::size_t peer);
  void receive(std::span<std::byte> bytes, std::size_t peer);

  /// Between `start` and `finish`.
  [[nodiscard]] bool under_way() const { return under_way_; }
  /// Have all messages moved that were posted so far?
  [[nodiscard]] bool is_done() const;
  /// Lets bytes move, without waiting. Does nothing when nothing is under way.
  void poke();
  /// Waits until all messages have moved; returns at once when nothing is under way. If none moves
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

#include "comm/transfer.hpp"

#include "base/checked_cast.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "comm/exchange.hpp"
#include "comm/hang_report.hpp"

namespace ballast::comm {

Transfer::Transfer(Communicator& comm)
    : comm_{&comm}, exchange_{std::make_unique<Exchange>(comm.handle_.get())} {}

Transfer::~Transfer() = default;
Transfer::Transfer(Transfer&&) noexcept = default;
Transfer& Transfer::operator=(Transfer&&) noexcept = default;

template <class Act>
void Transfer::timed(Act&& act) {
  const Stopwatch watch;
  try {
    act();
  } catch (...) {
    under_way_ = false;
    exchange_->abandon();
    throw;
  }
  comm_->add_work_s(watch.elapsed_s());
}

void Transfer::start(Place place) {
  if (under_way_) {
    throw internal_error("{} cannot start where {} is under way", describe(place),
                         describe(place_));
  }
  place_ = place;
  comm_->begin(*exchange_, place);
  under_way_ = true;
}

void Transfer::send(std::span<const std::byte> bytes, std::size_t peer) {
  timed([&] { exchange_->send(bytes, checked_cast<int>(peer)); });
}

void Transfer::receive(std::span<std::byte> bytes, std::size_t peer) {
  timed([&] { exchange_->receive(bytes, checked_cast<int>(peer)); });
}

bool Transfer::is_done() const { return exchange_->is_done(); }

void Transfer::poke() {
  if (!under_way_ || exchange_->is_done()) return;
  timed([&] {
    if (const auto fault = exchange_->poll()) throw bad_message(comm_->reporter(), place_, *fault);
  });
}

void Transfer::finish() {
  if (!under_way_) return;
  timed([&] { comm_->complete(*exchange_, place_); });
  under_way_ = false;
}

}  // namespace ballast::comm

#include "comm/gather_slot.hpp"

#include "base/clock.hpp"
#include "base/error.hpp"
#include "comm/exchange.hpp"
#include "comm/hang_report.hpp"

namespace ballast::comm {

GatherSlot::GatherSlot(Communicator& comm)
    : comm_{&comm}, exchange_{std::make_unique<Exchange>(comm.handle_.get())} {}

GatherSlot::~GatherSlot() = default;
GatherSlot::GatherSlot(GatherSlot&&) noexcept = default;
GatherSlot& GatherSlot::operator=(GatherSlot&&) noexcept = default;

template <class Act>
void GatherSlot::timed(Act&& act) {
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

void GatherSlot::start(std::span<const std::byte> own, std::span<std::byte> receive,
                       std::span<const std::size_t> counts, std::span<const std::size_t> offsets,
                       Place place) {
  if (under_way_) {
    throw internal_error("{} cannot start in the slot where {} is under way", describe(place),
                         describe(place_));
  }
  place_ = place;
  timed([&] {
    comm_->place_own_part(own, receive, counts, offsets, place);
    comm_->begin(*exchange_, place);
    comm_->post_all_gather(*exchange_, own, receive, counts, offsets);
  });
  under_way_ = true;
}

void GatherSlot::poke() {
  if (!under_way_) return;
  timed([&] {
    if (const auto fault = exchange_->poll()) throw bad_message(comm_->reporter(), place_, *fault);
  });
}

void GatherSlot::finish() {
  if (!under_way_) return;
  timed([&] { comm_->complete(*exchange_, place_); });
  under_way_ = false;
}

}  // namespace ballast::comm

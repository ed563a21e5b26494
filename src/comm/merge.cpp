#include "comm/merge.hpp"

#include <algorithm>
#include <cstddef>

namespace ballast::comm {

void merge(Communicator& world, std::initializer_list<Summand> parts, Place place) {
  std::size_t count = 0;
  for (const Summand& part : parts) count += part.words().size();
  const auto room = world.room_for(count);
  auto out = room.begin();
  for (const Summand& part : parts) out = std::ranges::copy(part.words(), out).out;
  world.sum(room, place);
  auto in = room.begin();
  for (const Summand& part : parts) {
    const auto end = in + std::ssize(part.words());
    std::copy(in, end, part.words().begin());
    in = end;
  }
}

}  // namespace ballast::comm

#include "comm/place.hpp"

#include <fmt/format.h>

namespace ballast::comm {

std::string describe(const Place& place) {
  return place.subject.empty() ? std::string{place.what}
                               : fmt::format("{} of {}", place.what, place.subject);
}

}  // namespace ballast::comm

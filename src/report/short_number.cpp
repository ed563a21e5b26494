#include "report/short_number.hpp"

#include <cmath>
#include <cstdlib>
#include <fmt/format.h>

namespace ballast::report {

storage::Json short_number(double value, int digits) {
  if (!std::isfinite(value)) return nullptr;
  const double rounded = std::strtod(fmt::format("{:.{}g}", value, digits).c_str(), nullptr);
  // Whole numbers as such: "240" and not "240.0".
  if (std::abs(rounded) < 1e15 && rounded == std::trunc(rounded)) {
    return static_cast<std::int64_t>(rounded);
  }
  return rounded;
}

}  // namespace ballast::report

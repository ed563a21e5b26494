#include "calibrate/proportion.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace ballast::calibrate {

void Proportion::count(bool is_hit) {
  ++of;
  hits += is_hit ? 1 : 0;
}

double Proportion::value() const {
  return of == 0 ? std::nan("") : static_cast<double>(hits) / static_cast<double>(of);
}

std::array<double, 2> Proportion::interval() const {
  if (of == 0) return {std::nan(""), std::nan("")};
  constexpr double kZ = 1.959963984540054;  // of the normal distribution, 95% within
  const double p = value();
  const auto n = static_cast<double>(of);
  const double middle = (p + kZ * kZ / (2.0 * n)) / (1.0 + kZ * kZ / n);
  const double half =
      kZ / (1.0 + kZ * kZ / n) * std::sqrt(p * (1.0 - p) / n + kZ * kZ / (4.0 * n * n));
  return {std::max(0.0, middle - half), std::min(1.0, middle + half)};
}

std::string Proportion::text() const {
  if (of == 0) return "-";
  const auto [low, high] = interval();
  return fmt::format("{}/{} = {:.2f} [{:.2f}, {:.2f}]", hits, of, value(), low, high);
}

}  // namespace ballast::calibrate

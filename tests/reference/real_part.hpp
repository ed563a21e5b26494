#pragma once

#include <complex>

namespace ballast::reference {

/// What a comparison looks at: a complex step must not change which branch is taken.
[[nodiscard]] inline double real_part(double x) { return x; }
[[nodiscard]] inline double real_part(const std::complex<double>& x) { return x.real(); }

}  // namespace ballast::reference

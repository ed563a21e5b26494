#pragma once

namespace ballast::kernels {

/// Elementary functions whose bits do not depend on libm's version or on the processor it picks
/// code for. Double precision, a few units in the last place.
[[nodiscard]] double portable_exp(double x);
[[nodiscard]] double portable_log(double x);
[[nodiscard]] double portable_cos(double x);
[[nodiscard]] double portable_sin(double x);
/// x^n for integer n >= 0, by squaring.
[[nodiscard]] double portable_power(double x, unsigned long long n);

}  // namespace ballast::kernels

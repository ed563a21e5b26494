#pragma once

#include "storage/json_log.hpp"

namespace ballast::report {

using storage::Json;
using storage::number_at;
using storage::number_or_nan;
using storage::read_log;
using storage::text_at;

/// With as many digits as a picture shows; null if it is not finite.
[[nodiscard]] Json short_number(double value, int digits = 6);

}  // namespace ballast::report

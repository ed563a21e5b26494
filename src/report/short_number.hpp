#pragma once

#include "storage/json_log.hpp"

namespace ballast::report {

/// With as many digits as a picture shows; null if it is not finite.
[[nodiscard]] storage::Json short_number(double value, int digits = 6);

}  // namespace ballast::report

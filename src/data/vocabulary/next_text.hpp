#pragma once

#include <functional>
#include <string>

namespace ballast::data {

/// Puts the next stretch of training text, UTF-8, into `text`; false at the end.
using NextText = std::function<bool(std::string& text)>;

}  // namespace ballast::data

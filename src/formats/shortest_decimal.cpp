#include "formats/shortest_decimal.hpp"

#include <charconv>
#include <fmt/format.h>
#include <string>

namespace ballast::formats {

double shortest_decimal(float value) {
  const std::string text = fmt::format("{}", value);
  double number = 0.0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

}  // namespace ballast::formats

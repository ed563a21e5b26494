#pragma once

#include <string>
#include <string_view>

namespace ballast::data {

struct JsonDocument {
  std::string text;
  float weight = 1.0f;
};

/// The text under `field`, and the "weight", of a JSON object in one line. A data Error says what
/// is wrong with the line, and at which byte if it is not JSON. Memory does not grow with the depth
/// of the JSON, nor with its other values.
[[nodiscard]] JsonDocument parse_document(std::string_view line, const std::string& field);

}  // namespace ballast::data

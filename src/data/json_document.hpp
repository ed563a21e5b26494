#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ballast::data {

struct JsonDocument {
  std::string text;
  float weight = 1.0f;
};

/// The text under `field`, and the "weight", of a JSON object in one line. A data Error says what
/// is wrong with the line, and at which byte if it is not JSON. Memory does not grow with the depth
/// of the JSON, nor with its other values.
[[nodiscard]] JsonDocument parse_document(std::string_view line, const std::string& field);

struct JsonIds {
  std::vector<std::int32_t> ids;
  float weight = 1.0f;
};

/// The same of a list of token ids in [0, vocabulary). A data Error names the first that is none by
/// its place in the list, counted from 0.
[[nodiscard]] JsonIds parse_ids(std::string_view line, const std::string& field,
                                std::size_t vocabulary);

}  // namespace ballast::data

#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>

namespace ballast {

/// Objects keep the order of their keys.
using Json = nlohmann::ordered_json;

/// What a text may ask of the one who reads it. Nothing that this program writes comes near.
struct JsonLimits {
  std::size_t depth = 64;  ///< lists and objects within each other
  /// Memory of the values, their texts apart, which take no more than they do in the document.
  std::size_t value_bytes = std::size_t{24} << 20;
};

/// Reads one JSON value, which may come from anyone: a data Error "not valid JSON at byte N: why",
/// or one that names a key that stands twice in an object, or the limit that does not hold.
/// Takes time in proportion to the text, and never more memory than a small multiple of its texts
/// and `limits.value_bytes`.
[[nodiscard]] Json parse_json(std::string_view text, JsonLimits limits = {});

/// The same, or nothing where `parse_json` throws.
[[nodiscard]] std::optional<Json> try_parse_json(std::string_view text, JsonLimits limits = {});

/// Data Errors that say what was found instead; `what` names the value.
[[nodiscard]] std::uint64_t whole_number(const Json& value, std::string_view what);

}  // namespace ballast

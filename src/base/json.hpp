#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>

namespace ballast {

/// Objects keep the order of their keys.
using Json = nlohmann::ordered_json;

/// Limits on a text that is read. Nothing that this program writes comes near them.
struct JsonLimits {
  std::size_t depth = 64;  ///< lists and objects within each other
  /// Memory of the values without their texts, which take no more than they do in the document.
  std::size_t value_bytes = std::size_t{24} << 20;
};

/// Reads one JSON value from an untrusted source. Throws a data Error: "not valid JSON at byte N:
/// why", or one that names a key that an object has twice, or the limit that is exceeded.
/// Takes time in proportion to the text, and never more memory than a small multiple of its texts
/// and `limits.value_bytes`.
[[nodiscard]] Json parse_json(std::string_view text, JsonLimits limits = {});

/// The same, or nothing where `parse_json` throws.
[[nodiscard]] std::optional<Json> try_parse_json(std::string_view text, JsonLimits limits = {});

/// Throws a data Error if `value` is no whole number; `what` names the value in it.
[[nodiscard]] std::uint64_t whole_number(const Json& value, std::string_view what);

}  // namespace ballast

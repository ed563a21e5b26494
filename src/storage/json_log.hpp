#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "base/json.hpp"

namespace ballast::storage {

using ballast::Json;

/// How to handle a line that is not a JSON object with a whole number as "step".
enum class BadLines { counted, refused };

/// Calls `visit` with every line of a log that is a JSON object with a whole number as "step". A
/// last line that is still being written is ignored. Returns how many other lines could not be
/// read, or throws, for the first of them, a data Error that names file and line. Throws a data
/// Error if the file cannot be read.
std::size_t read_log(const std::filesystem::path& file,
                     const std::function<void(std::uint64_t step, const Json& object)>& visit,
                     BadLines bad_lines = BadLines::counted);

/// NaN where it is null, missing or no number.
[[nodiscard]] double number_or_nan(const Json& value);
[[nodiscard]] double number_at(const Json& object, const char* key);
/// Empty where it is missing or no text.
[[nodiscard]] std::string text_at(const Json& object, const char* key);

}  // namespace ballast::storage

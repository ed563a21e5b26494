#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "base/json.hpp"

namespace ballast::storage {

using ballast::Json;

/// What becomes of a line that is no JSON object with a whole "step".
enum class BadLines { counted, refused };

/// Shows `visit` every line of a log that is a JSON object with a whole "step", from first to last.
/// A last line that is still being written is passed over. Returns how many other lines could not
/// be read, or refuses the first with a data Error that names file and line. A data Error if the
/// file cannot be read.
std::size_t read_log(const std::filesystem::path& file,
                     const std::function<void(std::uint64_t step, const Json& object)>& visit,
                     BadLines bad_lines = BadLines::counted);

/// NaN where it is null, missing or no number.
[[nodiscard]] double number_or_nan(const Json& value);
[[nodiscard]] double number_at(const Json& object, const char* key);
/// Empty where it is missing or no text.
[[nodiscard]] std::string text_at(const Json& object, const char* key);

}  // namespace ballast::storage

#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>

namespace ballast::report {

using Json = nlohmann::ordered_json;

/// Shows `visit` every line of a log that is a JSON object with a whole "step", from first to last.
/// A last line that is still being written is passed over. Returns how many other lines could not
/// be read. A data Error if the file cannot.
std::size_t read_log(const std::filesystem::path& file,
                     const std::function<void(std::uint64_t step, const Json& object)>& visit);

/// NaN where it is null, missing or no number.
[[nodiscard]] double number_or_nan(const Json& value);
[[nodiscard]] double number_at(const Json& object, const char* key);
/// Empty where it is missing or no text.
[[nodiscard]] std::string text_at(const Json& object, const char* key);

/// With as many digits as a picture shows; null if it is not finite.
[[nodiscard]] Json short_number(double value, int digits = 6);

}  // namespace ballast::report

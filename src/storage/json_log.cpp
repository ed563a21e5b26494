#include "storage/json_log.hpp"

#include <cmath>

#include "base/error.hpp"
#include "storage/files.hpp"

namespace ballast::storage {

std::size_t read_log(const std::filesystem::path& file,
                     const std::function<void(std::uint64_t step, const Json& object)>& visit,
                     BadLines bad_lines) {
  std::size_t number = 0;
  std::size_t unreadable = 0;
  for_each_line(file, [&](std::string_view line, LineEnd end) {
    ++number;
    const auto object = try_parse_json(line);
    const bool is_object = object && object->is_object();
    const auto step = is_object ? object->find("step") : Json::const_iterator{};
    if (is_object && step != object->end() && step->is_number_unsigned()) {
      visit(step->get<std::uint64_t>(), *object);
    } else if (end == LineEnd::newline) {
      if (bad_lines == BadLines::refused) {
        throw data_error("{}:{}: not a JSON object with a whole \"step\"", file.string(), number);
      }
      ++unreadable;
    }
  });
  return unreadable;
}

double number_or_nan(const Json& value) {
  return value.is_number() ? value.get<double>() : std::nan("");
}

double number_at(const Json& object, const char* key) {
  const auto value = object.find(key);
  return value == object.end() ? std::nan("") : number_or_nan(*value);
}

std::string text_at(const Json& object, const char* key) {
  const auto value = object.find(key);
  return value != object.end() && value->is_string() ? value->get<std::string>() : "";
}

}  // namespace ballast::storage

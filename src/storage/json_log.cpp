#include "storage/json_log.hpp"

#include <cmath>
#include <fstream>

#include "base/error.hpp"

namespace ballast::storage {

std::size_t read_log(const std::filesystem::path& file,
                     const std::function<void(std::uint64_t step, const Json& object)>& visit,
                     BadLines bad_lines) {
  std::ifstream lines{file};
  if (!lines) throw data_error("cannot read '{}'", file.string());
  std::size_t number = 0;
  std::size_t unreadable = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    const bool is_unfinished = lines.eof();
    const Json object = Json::parse(line, nullptr, false);
    const auto step = object.is_object() ? object.find("step") : object.end();
    if (step != object.end() && step->is_number_unsigned()) {
      visit(step->get<std::uint64_t>(), object);
    } else if (!is_unfinished) {
      if (bad_lines == BadLines::refused) {
        throw data_error("{}:{}: not a JSON object with a whole \"step\"", file.string(), number);
      }
      ++unreadable;
    }
  }
  if (lines.bad()) throw data_error("cannot read '{}'", file.string());
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

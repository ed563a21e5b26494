#include "data/json_line_reader.hpp"

#include <algorithm>
#include <cmath>

#include "base/error.hpp"

namespace ballast::data {

namespace {

using nlohmann::json;

/// What the parser says, without its own position (a line and a column of this one line) and
/// without all that it read.
std::string complaint(std::string_view what) {
  constexpr std::string_view kReadLast = "; last read";
  if (const auto start = what.find("] "); start != std::string_view::npos) {
    what.remove_prefix(start + 2);
  }
  if (const auto column = what.find("column "); column != std::string_view::npos) {
    what.remove_prefix(std::min(what.size(), what.find(": ", column) + 2));
  }
  return std::string{what.substr(0, what.find(kReadLast))};
}

}  // namespace

bool JsonLineReader::pass(std::string_view what, float weight) {
  if (depth_ == 1 && key_ == kWeight && key_ != field_) {
    weight_ = weight;
  } else {
    see(what);
  }
  return true;
}

bool JsonLineReader::key(std::string& name) {
  if (depth_ == 1) key_ = name;
  return true;
}

bool JsonLineReader::string(std::string&) { return pass("a text"); }

bool JsonLineReader::number_integer(json::number_integer_t value) {
  return pass("a number", static_cast<float>(value));
}

bool JsonLineReader::number_unsigned(json::number_unsigned_t value) {
  return pass("a number", static_cast<float>(value));
}

bool JsonLineReader::number_float(double value, const std::string&) {
  return pass("a number", static_cast<float>(value));
}

bool JsonLineReader::null() { return pass("null"); }

bool JsonLineReader::boolean(bool value) { return pass(value ? "true" : "false"); }

bool JsonLineReader::binary(json::binary_t&) { return pass("bytes"); }

bool JsonLineReader::start_object(std::size_t) {
  is_object_ = is_object_ || depth_ == 0;
  return pass("an object") && ++depth_ > 0;
}

bool JsonLineReader::start_array(std::size_t) { return pass(kList) && ++depth_ > 0; }

bool JsonLineReader::end_object() { return depth_-- > 0; }

bool JsonLineReader::end_array() { return depth_-- > 0; }

bool JsonLineReader::parse_error(std::size_t position, const std::string&,
                                 const json::exception& error) {
  throw data_error("byte {}: this is not JSON: {}", position, complaint(error.what()));
}

float JsonLineReader::weight() const {
  if (std::isfinite(weight_) && weight_ >= 0) return weight_;
  throw data_error("its \"weight\" must be a number of 0 or more");
}

}  // namespace ballast::data

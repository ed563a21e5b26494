#include "data/json_document.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

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

/// Keeps, of all values that pass by, the two at the top of the object that a document is made of.
class DocumentReader final : public json::json_sax_t {
 public:
  explicit DocumentReader(const std::string& field) : field_{field} {}

  /// What passed by, once all has; data Errors.
  [[nodiscard]] JsonDocument document() &&;

  bool key(std::string& name) override {
    if (depth_ == 1) key_ = name;
    return true;
  }
  bool string(std::string& value) override {
    if (depth_ == 1 && key_ == field_) {
      text_ = std::move(value);
    } else if (depth_ == 1 && key_ != kWeight && others_.size() < kOthers) {
      others_.push_back(key_.substr(0, kKeyBytes));
    }
    return key_ == field_ || other("a text");
  }
  bool number_integer(json::number_integer_t value) override {
    return other("a number", static_cast<float>(value));
  }
  bool number_unsigned(json::number_unsigned_t value) override {
    return other("a number", static_cast<float>(value));
  }
  bool number_float(double value, const std::string&) override {
    return other("a number", static_cast<float>(value));
  }
  bool null() override { return other("null"); }
  bool boolean(bool value) override { return other(value ? "true" : "false"); }
  bool binary(json::binary_t&) override { return other("bytes"); }
  bool start_object(std::size_t) override {
    is_object_ = is_object_ || depth_ == 0;
    return other("an object") && ++depth_ > 0;
  }
  bool start_array(std::size_t) override { return other("a list") && ++depth_ > 0; }
  bool end_object() override { return depth_-- > 0; }
  bool end_array() override { return depth_-- > 0; }
  bool parse_error(std::size_t position, const std::string&,
                   const json::exception& error) override {
    throw data_error("byte {}: this is not JSON: {}", position, complaint(error.what()));
  }

 private:
  static constexpr std::string_view kWeight = "weight";
  static constexpr float kNoWeight = -1.0f;
  // Keys to offer where the field is missing, and how much of each.
  static constexpr std::size_t kOthers = 3;
  static constexpr std::size_t kKeyBytes = 40;

  /// A value that is no text; always true, which the parser takes as "go on".
  bool other(std::string_view what, float weight = kNoWeight) {
    if (depth_ == 1 && key_ == field_) {
      text_.reset();
      instead_ = what;
    } else if (depth_ == 1 && key_ == kWeight) {
      weight_ = weight;
    }
    return true;
  }

  const std::string& field_;
  std::size_t depth_ = 0;
  bool is_object_ = false;
  std::string key_;
  std::optional<std::string> text_;
  std::string_view instead_;         ///< what the field holds where it is no text
  std::vector<std::string> others_;  ///< keys of other texts
  float weight_ = 1.0f;
};

JsonDocument DocumentReader::document() && {
  if (!is_object_) {
    throw data_error("this is not an object with a text: {{\"{}\": \"...\"}}", field_);
  }
  if (!instead_.empty() && !text_) {
    throw data_error("its \"{}\" is {}, not a text", field_, instead_);
  }
  if (!text_ && !others_.empty()) {
    throw data_error("it has no \"{}\", but texts named \"{}\": choose one with --field", field_,
                     fmt::join(others_, "\", \""));
  }
  if (!text_) throw data_error("it has no \"{}\" with a text", field_);
  if (!std::isfinite(weight_) || weight_ < 0) {
    throw data_error("its \"weight\" must be a number of 0 or more");
  }
  return {std::move(*text_), weight_};
}

}  // namespace

JsonDocument parse_document(std::string_view line, const std::string& field) {
  DocumentReader reader{field};
  json::sax_parse(line, &reader);
  return std::move(reader).document();
}

}  // namespace ballast::data

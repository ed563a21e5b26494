#include "data/json_document.hpp"

#include <fmt/ranges.h>
#include <optional>
#include <utility>

#include "base/error.hpp"
#include "data/json_line_reader.hpp"

namespace ballast::data {

namespace {

/// Keeps the text of a document.
class DocumentReader final : public JsonLineReader {
 public:
  explicit DocumentReader(const std::string& field) : JsonLineReader{field} {}

  /// What passed by, once all has; data Errors.
  [[nodiscard]] JsonDocument document() &&;

  bool string(std::string& value) override {
    if (at_field()) {
      text_ = std::move(value);
      return true;
    }
    if (depth() == 1 && key() != kWeight && others_.size() < kOthers) {
      others_.push_back(key().substr(0, kKeyBytes));
    }
    return JsonLineReader::string(value);
  }

 private:
  // Keys to offer where the field is missing, and how much of each.
  static constexpr std::size_t kOthers = 3;
  static constexpr std::size_t kKeyBytes = 40;

  void see(std::string_view what) override {
    if (!at_field()) return;
    text_.reset();
    instead_ = what;
  }

  std::optional<std::string> text_;
  std::string_view instead_;         ///< what the field holds where it is no text
  std::vector<std::string> others_;  ///< keys of other texts
};

JsonDocument DocumentReader::document() && {
  if (!is_object()) {
    throw data_error("this is not an object with a text: {{\"{}\": \"...\"}}", field());
  }
  if (!instead_.empty() && !text_) {
    throw data_error("its \"{}\" is {}, not a text", field(), instead_);
  }
  if (!text_ && !others_.empty()) {
    throw data_error("it has no \"{}\", but texts named \"{}\": choose one with --field", field(),
                     fmt::join(others_, "\", \""));
  }
  if (!text_) throw data_error("it has no \"{}\" with a text", field());
  return {std::move(*text_), weight()};
}

}  // namespace

JsonDocument parse_document(std::string_view line, const std::string& field) {
  DocumentReader reader{field};
  nlohmann::json::sax_parse(line, &reader);
  return std::move(reader).document();
}

}  // namespace ballast::data

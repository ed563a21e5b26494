#include <optional>
#include <utility>

#include "base/error.hpp"
#include "base/text.hpp"
#include "data/json_document.hpp"
#include "data/json_line_reader.hpp"

namespace ballast::data {

namespace {

using nlohmann::json;

/// Keeps the token ids of a document.
class IdsReader final : public JsonLineReader {
 public:
  IdsReader(const std::string& field, std::size_t vocabulary)
      : JsonLineReader{field}, vocabulary_{vocabulary} {}

  /// What passed by, once all has; data Errors.
  [[nodiscard]] JsonIds document() &&;

  bool number_unsigned(json::number_unsigned_t value) override {
    if (!in_list()) return JsonLineReader::number_unsigned(value);
    if (value >= vocabulary_) refuse(fmt::format("{}", value));
    ids_->push_back(static_cast<std::int32_t>(value));
    return true;
  }
  bool number_integer(json::number_integer_t value) override {
    if (in_list()) refuse(fmt::format("{}", value));
    return JsonLineReader::number_integer(value);
  }
  bool number_float(double value, const std::string& text) override {
    if (in_list()) refuse(excerpt(text));
    return JsonLineReader::number_float(value, text);
  }

 private:
  /// The list under the field is open, and no other list or object in it: those are refused.
  [[nodiscard]] bool in_list() const { return depth() == 2 && key() == field() && ids_; }

  void see(std::string_view what) override {
    if (in_list()) refuse(what);
    if (!at_field()) return;
    ids_.reset();
    if (what == kList) ids_.emplace();
    instead_ = what;
  }

  [[noreturn]] void refuse(std::string_view what) const {
    throw data_error(
        "its \"{}\"[{}] is {}, not a token id from 0 to {}: mend the line, or name the vocabulary "
        "of its ids with --tokenizer ids:VOCAB",
        field(), ids_->size(), what, vocabulary_ - 1);
  }

  std::size_t vocabulary_;
  std::optional<std::vector<std::int32_t>> ids_;
  std::string_view instead_;  ///< what the field holds where it is no list
};

JsonIds IdsReader::document() && {
  if (!is_object()) {
    throw data_error("this is not an object with a list of token ids: {{\"{}\": [1, 2]}}", field());
  }
  if (ids_) return {std::move(*ids_), weight()};
  if (instead_.empty()) {
    throw data_error("it has no \"{}\" with a list of token ids: --field names another key",
                     field());
  }
  throw data_error("its \"{}\" is {}, not a list of token ids: --field names another key", field(),
                   instead_);
}

}  // namespace

JsonIds parse_ids(std::string_view line, const std::string& field, std::size_t vocabulary) {
  IdsReader reader{field, vocabulary};
  json::sax_parse(line, &reader);
  return std::move(reader).document();
}

}  // namespace ballast::data

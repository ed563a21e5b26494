#include "data/bpe/json_fields.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "base/text.hpp"

namespace ballast::data {

JsonFields::JsonFields(const Json& value, std::string_view where) : value_{&value}, where_{where} {
  if (!value.is_object()) {
    throw data_error("{} is not an object", where.empty() ? "the document" : where);
  }
}

std::string JsonFields::name_of(std::string_view name) const {
  return where_.empty() ? excerpt(name) : fmt::format("{}.{}", where_, excerpt(name));
}

void JsonFields::allow(std::initializer_list<std::string_view> known) const {
  for (const auto& [name, value] : value_->items()) {
    if (std::ranges::find(known, name) == known.end()) {
      throw data_error(
          "{} is not known: this tokenizer may give other tokens than those that it "
          "would be read as",
          name_of(name));
    }
  }
}

bool JsonFields::has(std::string_view name) const {
  return value_->find(std::string{name}) != value_->end();
}

bool JsonFields::is_null(std::string_view name) const {
  return !has(name) || value(name).is_null();
}

const Json& JsonFields::value(std::string_view name) const {
  const auto found = value_->find(std::string{name});
  if (found == value_->end()) throw data_error("{} is missing", name_of(name));
  return *found;
}

bool JsonFields::boolean(std::string_view name) const {
  const Json& found = value(name);
  if (!found.is_boolean()) throw data_error("{} is neither true nor false", name_of(name));
  return found.get<bool>();
}

std::string JsonFields::text(std::string_view name) const {
  const Json& found = value(name);
  if (!found.is_string()) throw data_error("{} is not a text", name_of(name));
  return found.get<std::string>();
}

const Json& JsonFields::list(std::string_view name) const {
  const Json& found = value(name);
  if (!found.is_array()) throw data_error("{} is not a list", name_of(name));
  return found;
}

JsonFields JsonFields::object(std::string_view name) const { return {value(name), name_of(name)}; }

}  // namespace ballast::data

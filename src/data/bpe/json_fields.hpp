#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "base/json.hpp"

namespace ballast::data {

/// The fields of an object of a tokenizer.json. Each reader throws a data Error that names the
/// field with the objects that it is in, "model.merges", if it is missing or of another type.
class JsonFields {
 public:
  /// `where` names the object; empty: the whole document.
  JsonFields(const Json& value, std::string_view where);

  /// Throws if the object has a field that is not among these.
  void allow(std::initializer_list<std::string_view> known) const;

  [[nodiscard]] bool has(std::string_view name) const;
  /// Missing, or null.
  [[nodiscard]] bool is_null(std::string_view name) const;
  [[nodiscard]] const Json& value(std::string_view name) const;
  [[nodiscard]] bool boolean(std::string_view name) const;
  [[nodiscard]] std::string text(std::string_view name) const;
  [[nodiscard]] const Json& list(std::string_view name) const;
  [[nodiscard]] JsonFields object(std::string_view name) const;
  [[nodiscard]] const Json& all() const { return *value_; }
  [[nodiscard]] std::string name_of(std::string_view name) const;

 private:
  const Json* value_;
  std::string where_;
};

}  // namespace ballast::data

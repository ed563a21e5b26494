#include "formats/huggingface/config_keys.hpp"

#include <cmath>
#include <utility>

#include "base/error.hpp"
#include "base/text.hpp"

namespace ballast::formats {

namespace {

constexpr std::uint64_t kMost = std::uint64_t{1} << 30;

std::optional<std::size_t> whole_of(const Json& value) {
  if (value.is_number_unsigned() && value.get<std::uint64_t>() <= kMost) {
    return value.get<std::size_t>();
  }
  // Some writers give sizes as 4096.0.
  if (!value.is_number_float()) return std::nullopt;
  const double number = value.get<double>();
  const bool is_whole =
      number >= 0.0 && number <= static_cast<double>(kMost) && number == std::floor(number);
  return is_whole ? std::optional{static_cast<std::size_t>(number)} : std::nullopt;
}

}  // namespace

ConfigKeys::ConfigKeys(const std::filesystem::path& file, const Json& object, std::string name)
    : file_{file}, object_{&object}, name_{std::move(name)} {
  if (!object.is_object()) {
    throw data_error("{}: {} is no JSON object", file_.string(),
                     name_.empty() ? "its content" : name_);
  }
}

const Json* ConfigKeys::find(std::string_view key) const {
  const auto found = object_->find(std::string{key});
  return found == object_->end() || found->is_null() ? nullptr : &*found;
}

bool ConfigKeys::is_null(std::string_view key) const {
  const auto found = object_->find(std::string{key});
  return found != object_->end() && found->is_null();
}

std::optional<std::string> ConfigKeys::key_of_object() const {
  for (const auto& [key, value] : object_->items()) {
    if (value.is_object()) return key;
  }
  return std::nullopt;
}

std::string ConfigKeys::place(std::string_view key) const {
  return fmt::format("{}: {}{}{}", file_.string(), name_, name_.empty() ? "" : ".", key);
}

void ConfigKeys::refuse(std::string_view key, std::string_view why) const {
  const Json* const value = find(key);
  throw data_error("{} = {} {}", place(key), value == nullptr ? "(absent)" : excerpt(value->dump()),
                   why);
}

std::optional<ConfigKeys> ConfigKeys::object(std::string_view key) const {
  const Json* const value = find(key);
  if (value == nullptr) return std::nullopt;
  return ConfigKeys{file_, *value,
                    name_.empty() ? std::string{key} : fmt::format("{}.{}", name_, key)};
}

std::size_t ConfigKeys::whole(std::string_view key, std::size_t fallback) const {
  const Json* const value = find(key);
  if (value == nullptr) return fallback;
  const auto number = whole_of(*value);
  if (!number) refuse(key, "is no whole number from 0 to 2^30");
  return *number;
}

std::size_t ConfigKeys::size(std::string_view key, std::size_t most) const {
  if (!has(key)) {
    throw data_error("{} is missing: no size of the model can be guessed", place(key));
  }
  const std::size_t value = whole(key, 0);
  if (value == 0 || value > most) refuse(key, fmt::format("is not from 1 to {}", most));
  return value;
}

double ConfigKeys::number(std::string_view key, double fallback) const {
  const Json* const value = find(key);
  if (value == nullptr) return fallback;
  if (!value->is_number() || !std::isfinite(value->get<double>())) refuse(key, "is no number");
  return value->get<double>();
}

bool ConfigKeys::boolean(std::string_view key, bool fallback) const {
  const Json* const value = find(key);
  if (value == nullptr) return fallback;
  if (!value->is_boolean()) refuse(key, "is neither true nor false");
  return value->get<bool>();
}

std::string ConfigKeys::text(std::string_view key, std::string_view fallback) const {
  const Json* const value = find(key);
  if (value == nullptr) return std::string{fallback};
  if (!value->is_string()) refuse(key, "is no text");
  return value->get<std::string>();
}

std::vector<std::string> ConfigKeys::texts(std::string_view key) const {
  const Json* const value = find(key);
  if (value == nullptr) return {};
  if (!value->is_array()) refuse(key, "is no list");
  std::vector<std::string> found;
  for (const Json& entry : *value) {
    if (!entry.is_string()) refuse(key, "is no list of texts");
    found.push_back(entry.get<std::string>());
  }
  return found;
}

std::vector<std::int32_t> ConfigKeys::ids(std::string_view key) const {
  const Json* const value = find(key);
  if (value == nullptr) return {};
  std::vector<std::int32_t> found;
  const auto add = [&](const Json& entry) {
    const auto id = whole_of(entry);
    if (!id) refuse(key, "is no token id");
    found.push_back(static_cast<std::int32_t>(*id));
  };
  if (value->is_array()) {
    for (const Json& entry : *value) add(entry);
  } else if (!value->is_number() || value->get<double>() >= 0.0) {
    add(*value);  // some files say -1 where there is none
  }
  return found;
}

}  // namespace ballast::formats

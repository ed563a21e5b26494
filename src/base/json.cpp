#include "base/json.hpp"

#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/text.hpp"

namespace ballast {

namespace {

/// Builds a value from the parser's events. The library's own builder has no limits, searches all
/// keys of an object for each new one, and its trees need a stack as deep as they are.
class Builder final : public nlohmann::json_sax<Json> {
 public:
  explicit Builder(JsonLimits limits) : limits_{limits} {}

  [[nodiscard]] Json take() { return std::move(root_); }

  bool null() override { return add(nullptr); }
  bool boolean(bool value) override { return add(value); }
  bool number_integer(number_integer_t value) override { return add(value); }
  bool number_unsigned(number_unsigned_t value) override { return add(value); }
  bool number_float(number_float_t value, const string_t&) override { return add(value); }
  bool string(string_t& value) override { return add(std::move(value)); }
  bool binary(binary_t&) override { throw internal_error("JSON text holds no binary values"); }

  bool start_object(std::size_t) override { return open(Json::object()); }
  bool start_array(std::size_t) override { return open(Json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(string_t& name) override {
    charge(kMemberBytes);
    Level& level = levels_.back();
    if (!level.keys.insert(name).second) {
      throw data_error("the key '{}' stands twice in one object", excerpt(name));
    }
    level.key = std::move(name);
    return true;
  }

  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::detail::exception& error) override {
    throw data_error("not valid JSON at byte {}: {}", position, reason(error.what()));
  }

 private:
  /// A list or an object that has not ended, and the key whose value comes next.
  struct Level {
    Json value;
    std::string key;
    std::unordered_set<std::string> keys;
  };

  // A list doubles its room when it is full, and holds both for a moment; so does an object, and
  // its keys are kept apart, to be found, until it ends.
  static constexpr std::size_t kElementBytes = 3 * sizeof(Json);
  static constexpr std::size_t kMemberBytes = 3 * sizeof(std::pair<std::string, Json>) + 96;
  static constexpr std::size_t kOwnedBytes = 64;  ///< of a text, list or object, without content

  /// The library's words, without its numbers and without what it read last, which may be long.
  static std::string reason(std::string_view words) {
    if (const auto colon = words.rfind(": syntax error "); colon != std::string_view::npos) {
      words.remove_prefix(colon + 2);
    }
    return excerpt(words.substr(0, words.find("; last read:")), 2 * kExcerptBytes);
  }

  void charge(std::size_t bytes) {
    used_ += bytes;
    if (used_ <= limits_.value_bytes) return;
    throw data_error("it holds more values than fit into {}", human_bytes(limits_.value_bytes));
  }

  bool add(Json value) {
    charge(kElementBytes + (value.is_primitive() && !value.is_string() ? 0 : kOwnedBytes));
    if (levels_.empty()) {
      root_ = std::move(value);
      return true;
    }
    Level& level = levels_.back();
    if (level.value.is_array()) {
      level.value.get_ref<Json::array_t&>().push_back(std::move(value));
    } else {
      // As a list: the object's own insertion searches all keys before it.
      auto& members = static_cast<std::vector<Json::object_t::value_type>&>(
          level.value.get_ref<Json::object_t&>());
      members.emplace_back(std::move(level.key), std::move(value));
    }
    return true;
  }

  bool open(Json value) {
    if (levels_.size() == limits_.depth) {
      throw data_error("its lists and objects are nested more than {} deep", limits_.depth);
    }
    levels_.push_back({std::move(value), {}, {}});
    return true;
  }

  bool close() {
    Json value = std::move(levels_.back().value);
    levels_.pop_back();
    return add(std::move(value));
  }

  JsonLimits limits_;
  std::size_t used_ = 0;
  std::vector<Level> levels_;
  Json root_;
};

}  // namespace

Json parse_json(std::string_view text, JsonLimits limits) {
  // The library takes a zero byte for the end of the text, and would not look at the rest.
  if (const auto zero = text.find('\0'); zero != std::string_view::npos) {
    throw data_error("not valid JSON at byte {}: a zero byte", zero + 1);
  }
  Builder builder{limits};
  Json::sax_parse(text, &builder);
  return builder.take();
}

std::optional<Json> try_parse_json(std::string_view text, JsonLimits limits) {
  try {
    return parse_json(text, limits);
  } catch (const Error&) {
    return std::nullopt;
  }
}

std::uint64_t whole_number(const Json& value, std::string_view what) {
  if (!value.is_number_unsigned()) throw data_error("{} is not a whole number", what);
  return value.get<std::uint64_t>();
}

}  // namespace ballast

#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"

namespace ballast::formats {

/// The keys of config.json, or of an object in it, read by name and type. A key that is null counts
/// as absent. What is wrong with a value is a data Error that names the file and the key.
class ConfigKeys {
 public:
  /// `object` must outlive this. A data Error if it is no object; `name` is "" for the file's own.
  ConfigKeys(const std::filesystem::path& file, const Json& object, std::string name = "");

  [[nodiscard]] bool has(std::string_view key) const { return find(key) != nullptr; }
  /// Whether the key is there and its value is null.
  [[nodiscard]] bool is_null(std::string_view key) const;
  /// The first key, in the file's order, whose value is an object; or nothing.
  [[nodiscard]] std::optional<std::string> key_of_object() const;
  [[nodiscard]] bool is_empty() const { return object_->empty(); }
  /// An object within, or nothing.
  [[nodiscard]] std::optional<ConfigKeys> object(std::string_view key) const;

  /// From 0 to 2^30, or `fallback` if the key is absent.
  [[nodiscard]] std::size_t whole(std::string_view key, std::size_t fallback) const;
  /// From 1 to `most`; a data Error if the key is absent.
  [[nodiscard]] std::size_t size(std::string_view key, std::size_t most) const;
  [[nodiscard]] double number(std::string_view key, double fallback) const;
  [[nodiscard]] bool boolean(std::string_view key, bool fallback) const;
  [[nodiscard]] std::string text(std::string_view key, std::string_view fallback) const;
  /// A list of texts; empty if the key is absent.
  [[nodiscard]] std::vector<std::string> texts(std::string_view key) const;
  /// A number or a list of numbers, of token ids; empty if the key is absent.
  [[nodiscard]] std::vector<std::int32_t> ids(std::string_view key) const;

  /// A data Error that says what stands there and why it cannot be used: "is …".
  [[noreturn]] void refuse(std::string_view key, std::string_view why) const;
  /// The file and the key within it, for messages.
  [[nodiscard]] std::string place(std::string_view key) const;

 private:
  [[nodiscard]] const Json* find(std::string_view key) const;

  std::filesystem::path file_;
  const Json* object_;
  std::string name_;
};

}  // namespace ballast::formats

#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "formats/gguf/gguf_value.hpp"

namespace ballast::formats {

/// The metadata of a GGUF file, read by name and type. What is wrong with a value is a data Error
/// that names the file and the key.
class GgufKeys {
 public:
  /// Both must outlive this; `file` is for messages.
  GgufKeys(const std::filesystem::path& file, const GgufMetadata& metadata)
      : file_{&file}, metadata_{&metadata} {}

  [[nodiscard]] bool has(std::string_view key) const { return find(key) != nullptr; }
  /// What stands there; null if the key is absent.
  [[nodiscard]] const GgufValue* find(std::string_view key) const;

  /// A whole number of any type, from 0 to 2^31 - 1; `fallback` if the key is absent.
  [[nodiscard]] std::size_t whole(std::string_view key, std::size_t fallback) const;
  /// A size, which must be there, from 1 to `most`.
  [[nodiscard]] std::size_t size(std::string_view key, std::size_t most) const;
  /// A finite number of either float type, as the decimal that it was written from.
  [[nodiscard]] double number(std::string_view key, double fallback) const;
  [[nodiscard]] bool boolean(std::string_view key, bool fallback) const;
  [[nodiscard]] std::string text(std::string_view key, std::string_view fallback) const;
  /// A token id; nothing if the key is absent or the number is none ("no token" is 2^32 - 1).
  [[nodiscard]] std::optional<std::int32_t> id(std::string_view key) const;

  /// "model.gguf: llama.context_length"
  [[nodiscard]] std::string place(std::string_view key) const;
  /// Throws the data Error that this key's value `why`: "is no number".
  [[noreturn]] void refuse(std::string_view key, std::string_view why) const;

 private:
  const std::filesystem::path* file_;
  const GgufMetadata* metadata_;
};

}  // namespace ballast::formats

#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

namespace ballast::formats {

/// The tokens that a Hugging Face folder gives a meaning.
struct SpecialTokens {
  std::optional<std::int32_t> bos{};
  std::vector<std::int32_t> eos{};  ///< texts end at any of them; the first is "the" one
  std::optional<std::int32_t> pad{};
};

/// What config.json of a folder says of them, whatever model it is of; nothing where there is no
/// such file. A data Error names the file, and the key that is wrong.
[[nodiscard]] std::optional<SpecialTokens> read_special_tokens(const std::filesystem::path& folder);

}  // namespace ballast::formats

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ballast::data {

/// Token ids as people write them: "15 0 7", with blanks, tabs or line ends between them. Nothing
/// if a word is no whole number below 2^31.
[[nodiscard]] std::optional<std::vector<std::int32_t>> parse_token_ids(std::string_view text);

/// The same with one blank between each two.
[[nodiscard]] std::string format_token_ids(std::span<const std::int32_t> ids);

/// A usage Error that names the first token that is not below the vocabulary of the model, and its
/// place. `who` asks for them: "--tokens".
void require_token_ids(std::span<const std::int32_t> ids, std::size_t vocabulary,
                       std::string_view who);

}  // namespace ballast::data

#pragma once

#include <string>
#include <string_view>

namespace ballast::formats {

/// What a tensor of a model is called in a GGUF file: "blk.3.attn_q.weight" for "block.3.wq".
/// Throws an internal Error for a tensor that none of the architectures has.
[[nodiscard]] std::string gguf_name(std::string_view tensor);

/// The factors that llama.cpp divides rotary frequencies by, one for each pair of a head's
/// elements.
inline constexpr std::string_view kRopeFactorsName = "rope_freqs.weight";

}  // namespace ballast::formats

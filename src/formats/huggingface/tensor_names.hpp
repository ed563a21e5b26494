#pragma once

#include <string>
#include <string_view>

namespace ballast::formats {

/// What a tensor of ours is called in a Hugging Face folder:
/// "model.layers.3.self_attn.q_proj.weight" for "block.3.wq". No element is moved: matrices are
/// [out, in] on both sides, and heads rotate in the same layout. Throws an internal Error for a
/// tensor that these families do not have.
[[nodiscard]] std::string huggingface_name(std::string_view tensor);

}  // namespace ballast::formats

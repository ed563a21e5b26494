#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "formats/gguf/gguf_file.hpp"
#include "formats/gguf/gguf_keys.hpp"
#include "kernels/rope_rule.hpp"
#include "model/model_config.hpp"

namespace ballast::formats {

/// The keys of rotary frequencies, all of which begin with `prefix` ("llama."). The model is one
/// that gguf_architecture_of accepts. Of llama3 there is no key: see rope_factors.
[[nodiscard]] GgufMetadata gguf_rope_keys(const model::ModelConfig& model,
                                          const std::string& prefix);

/// What frequencies are divided by, one for each pair of a head's elements; empty unless the rule
/// is llama3, whose factors are a tensor of the file.
[[nodiscard]] std::vector<float> rope_factors(const kernels::RopeRule& rule, std::size_t head_dim);

/// The reverse. `model`: with its heads and context. Where the file has a tensor of factors, it is
/// searched for a rule llama3 with the usual turns (1 and 4) that gives them. A data Error names
/// the key, or the tensor if no such rule does.
[[nodiscard]] kernels::RopeRule read_gguf_rope(const GgufFile& file, const GgufKeys& keys,
                                               const std::string& prefix,
                                               const model::ModelConfig& model);

}  // namespace ballast::formats

#pragma once

#include <string>
#include <string_view>

#include "data/tokenizers/tokenizer_files.hpp"

namespace ballast::data {

/// How a conversation becomes a text. A template is a program in Jinja, which is carried along as
/// it is; those of these formats are known.
enum class ChatFormat {
  none,     ///< there is no template
  chatml,   ///< "<|im_start|>user\n...<|im_end|>\n": Qwen, SmolLM2
  llama3,   ///< "<|start_header_id|>user<|end_header_id|>\n\n...<|eot_id|>"
  mistral,  ///< "[INST] ... [/INST]"
  zephyr,   ///< "<|user|>\n...</s>\n"
  other
};
[[nodiscard]] std::string_view name_of(ChatFormat format);

/// The template in a tokenizer's files, that of the name "default" where there are several; empty
/// where there is none.
[[nodiscard]] std::string chat_template_of(const TokenizerFiles& files);

/// Which format a template writes, by the marks in it. One with marks of several formats, or of
/// none, is `other`.
[[nodiscard]] ChatFormat recognize_chat_format(std::string_view chat_template);

}  // namespace ballast::data

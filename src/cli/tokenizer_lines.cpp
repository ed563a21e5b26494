#include "cli/tokenizer_lines.hpp"

#include <fmt/format.h>
#include <string>

#include "base/error.hpp"
#include "data/tokenizers/chat_template.hpp"
#include "data/tokenizers/huggingface_tokenizer.hpp"

namespace ballast::cli {

namespace {

struct Lines {
  std::string tokenizer = "none";
  std::string chat_template = "none";
};

Lines lines_of(const std::function<data::TokenizerFiles()>& read) {
  Lines lines;
  try {
    const data::TokenizerFiles files = read();
    lines.chat_template = name_of(data::recognize_chat_format(data::chat_template_of(files)));
    if (!data::makes_tokenizer(files)) return lines;
    const auto tokenizer = data::make_huggingface_tokenizer(files);
    lines.tokenizer = fmt::format("{} tokens", tokenizer->vocabulary());
  } catch (const Error& error) {
    lines.tokenizer = fmt::format("not usable here: {}", error.what());
  }
  return lines;
}

}  // namespace

void print_tokenizer_lines(const std::function<data::TokenizerFiles()>& read) {
  const Lines lines = lines_of(read);
  fmt::print("tokenizer            {}\n", lines.tokenizer);
  fmt::print("chat_template        {}\n", lines.chat_template);
}

}  // namespace ballast::cli

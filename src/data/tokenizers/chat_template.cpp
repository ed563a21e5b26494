#include "data/tokenizers/chat_template.hpp"

#include <algorithm>
#include <array>

#include "base/error.hpp"
#include "base/json.hpp"

namespace ballast::data {

namespace {

constexpr const char* kKey = "chat_template";

std::string text_in(const Json& value) { return value.is_string() ? value.get<std::string>() : ""; }

/// A template by itself, or several as [{"name": "default", "template": "..."}, ...].
std::string template_in(const Json& value) {
  if (!value.is_array()) return text_in(value);
  for (const Json& named : value) {
    const bool is_default = named.is_object() && named.contains("name") &&
                            text_in(named["name"]) == "default" && named.contains("template");
    if (is_default) return text_in(named["template"]);
  }
  return {};
}

struct Marks {
  ChatFormat format;
  std::array<std::string_view, 2> texts;  ///< all of which stand in its templates
};

constexpr std::array<Marks, 4> kMarks{{{ChatFormat::chatml, {"<|im_start|>", "<|im_end|>"}},
                                       {ChatFormat::llama3, {"<|start_header_id|>", "<|eot_id|>"}},
                                       {ChatFormat::mistral, {"[INST]", "[/INST]"}},
                                       {ChatFormat::zephyr, {"<|user|>", "<|assistant|>"}}}};

}  // namespace

std::string_view name_of(ChatFormat format) {
  switch (format) {
    case ChatFormat::none:
      return "none";
    case ChatFormat::chatml:
      return "ChatML";
    case ChatFormat::llama3:
      return "Llama 3";
    case ChatFormat::mistral:
      return "Mistral";
    case ChatFormat::zephyr:
      return "Zephyr";
    case ChatFormat::other:
      return "of another format";
  }
  throw internal_error("unknown chat format");
}

std::string chat_template_of(const TokenizerFiles& files) {
  if (const auto jinja = files.find("chat_template.jinja"); jinja != files.end()) {
    return jinja->second;
  }
  for (const char* name : {"chat_template.json", kTokenizerConfigName}) {
    const auto file = files.find(name);
    if (file == files.end()) continue;
    const Json json = with_context(name, [&] { return parse_json(file->second); });
    if (json.is_object() && json.contains(kKey)) return template_in(json[kKey]);
  }
  return {};
}

ChatFormat recognize_chat_format(std::string_view chat_template) {
  if (chat_template.empty()) return ChatFormat::none;
  ChatFormat found = ChatFormat::other;
  for (const auto& [format, texts] : kMarks) {
    const bool has_all = std::ranges::all_of(texts, [&](std::string_view text) {
      return chat_template.find(text) != std::string_view::npos;
    });
    if (has_all && found != ChatFormat::other) return ChatFormat::other;
    if (has_all) found = format;
  }
  return found;
}

}  // namespace ballast::data

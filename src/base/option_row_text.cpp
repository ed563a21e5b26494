#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/option_row.hpp"
#include "base/path_word.hpp"

// Rows of paths, words and texts.
namespace ballast::option_row {

std::optional<std::string> parse_word(const std::string& text) {
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  if (text.empty() || std::any_of(text.begin(), text.end(), is_control)) return std::nullopt;
  return read_path_word(text);
}

template <class Text>
Option word(std::string name, std::string value_name, Text& target, std::string help) {
  Option option{.name = std::move(name),
                .value_name = std::move(value_name),
                .takes = "a text in one line, not empty",
                .help = std::move(help)};
  option.set = [&target](const std::string& text) {
    const auto word = parse_word(text);
    if (word) target = *word;
    return word.has_value();
  };
  option.get = [&target]() -> std::optional<std::string> {
    if (target.empty()) return std::nullopt;
    if constexpr (std::is_same_v<Text, std::filesystem::path>)
      return target.string();
    else
      return target;
  };
  return option;
}

Option words(std::string name, std::string value_name, std::vector<std::string>& target,
             std::string help) {
  Option option{.name = std::move(name),
                .value_name = std::move(value_name),
                .takes = "texts in one line each, not empty",
                .help = std::move(help),
                .arity = Arity::many};
  option.set = [&target](const std::string& text) {
    const auto word = parse_word(text);
    if (word) target.push_back(*word);
    return word.has_value();
  };
  option.get = [&target]() -> std::optional<std::string> {
    if (target.empty()) return std::nullopt;
    return fmt::format("{}", fmt::join(target, " "));
  };
  return option;
}

Option text(std::string name, std::string value_name, std::string& target, std::string help) {
  Option option{.name = std::move(name),
                .value_name = std::move(value_name),
                .takes = "any text",
                .help = std::move(help)};
  option.set = [&target](const std::string& value) {
    target = value;
    return true;
  };
  option.get = [&target]() -> std::optional<std::string> {
    if (target.empty()) return std::nullopt;
    return target;
  };
  return option;
}

template Option word(std::string, std::string, std::string&, std::string);
template Option word(std::string, std::string, std::filesystem::path&, std::string);

}  // namespace ballast::option_row

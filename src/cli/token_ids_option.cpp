#include "cli/token_ids_option.hpp"

#include <optional>
#include <utility>

#include "data/tokenizers/token_ids.hpp"

namespace ballast::cli {

Option token_ids(std::string name, std::vector<std::int32_t>& target, std::string help) {
  Option option{.name = std::move(name),
                .value_name = "'ID ID ...'",
                .takes = "token ids, whole numbers with blanks between them",
                .help = std::move(help)};
  option.set = [&target](const std::string& text) {
    auto ids = data::parse_token_ids(text);
    if (!ids || ids->empty()) return false;
    target = std::move(*ids);
    return true;
  };
  option.get = [&target]() -> std::optional<std::string> {
    if (target.empty()) return std::nullopt;
    return data::format_token_ids(target);
  };
  return option;
}

}  // namespace ballast::cli

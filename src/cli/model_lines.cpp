#include "cli/model_lines.hpp"

#include <fmt/format.h>
#include <string>
#include <string_view>

#include "cli/resolved_config.hpp"

namespace ballast::cli {

void print_model_keys(const model::ModelConfig& model) {
  const std::string ini = model_to_ini(model);
  std::string_view rest = ini;
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    if (!line.starts_with('[')) fmt::print("  model.{}\n", line);
    rest.remove_prefix(line.size() + 1);
  }
}

}  // namespace ballast::cli

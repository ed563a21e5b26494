#include "cli/training_config.hpp"

#include <iterator>
#include <utility>

#include "cli/ini.hpp"
#include "cli/options.hpp"

namespace ballast::cli {

std::vector<Option> train_command_options(std::filesystem::path& file, train::Config& config) {
  std::vector<Option> options{
      word("config", "FILE", file, "INI file with any of the keys below; options override it")};
  std::vector<Option> keys = training_options(config);
  std::move(keys.begin(), keys.end(), std::back_inserter(options));
  return options;
}

train::Config read_training_config(Arguments arguments, const ReadFile& read_file) {
  train::Config config;
  std::filesystem::path file;
  const std::vector<Option> options = train_command_options(file, config);
  const auto keys = std::span{options}.subspan(1);
  const std::vector<Assignment> given = parse_command_line(arguments, options);
  assign(given, options);
  if (!file.empty()) {
    assign(parse_ini(read_file(file), file.string()), keys);
    assign(given, options);  // once more: options override the file
  }
  require(keys);
  return config;
}

}  // namespace ballast::cli

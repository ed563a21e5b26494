#include "cli/command_line.hpp"

#include <boost/program_options.hpp>

#include "base/error.hpp"
#include "base/text.hpp"

namespace ballast::cli {

namespace {

namespace po = boost::program_options;

po::options_description describe(std::span<const Option> options) {
  po::options_description description;
  for (const auto& option : options) {
    switch (option.arity) {
      case Arity::none:
        description.add_options()(option.name.c_str(), "");
        break;
      case Arity::one:
        description.add_options()(option.name.c_str(), po::value<std::string>());
        break;
      case Arity::many:
        description.add_options()(option.name.c_str(),
                                  po::value<std::vector<std::string>>()->multitoken());
        break;
    }
  }
  return description;
}

po::parsed_options run_parser(Arguments arguments, const po::options_description& description,
                              const std::string& positional) {
  namespace style = po::command_line_style;
  po::command_line_parser parser{std::vector<std::string>{arguments.begin(), arguments.end()}};
  po::positional_options_description places;
  if (!positional.empty()) {
    places.add(positional.c_str(), -1);
    parser.positional(places);
  }
  // Unknown names come back marked, so that the error can suggest the nearest one.
  parser.options(description).allow_unregistered();
  parser.style(style::allow_long | style::long_allow_adjacent | style::long_allow_next);
  try {
    return parser.run();
  } catch (const po::error& error) {
    throw usage_error("{}", excerpt(error.what(), 2 * kExcerptBytes));
  }
}

}  // namespace

std::vector<Assignment> parse_command_line(Arguments arguments, std::span<const Option> options,
                                           const std::string& positional) {
  const po::options_description description = describe(options);
  std::vector<Assignment> assignments;
  for (const auto& found : run_parser(arguments, description, positional).options) {
    if (found.value.empty()) {
      assignments.push_back({.name = found.string_key, .value = "true", .where = {}});
    }
    for (const auto& value : found.value) {
      assignments.push_back({.name = found.string_key, .value = value, .where = {}});
    }
  }
  return assignments;
}

void read_command_line(Arguments arguments, std::span<const Option> options,
                       const std::string& positional) {
  assign(parse_command_line(arguments, options, positional), options);
  require(options);
}

}  // namespace ballast::cli

#include "cli/help.hpp"

#include <boost/program_options.hpp>
#include <fmt/format.h>
#include <sstream>

namespace ballast::cli {

namespace {

namespace po = boost::program_options;

constexpr unsigned kColumns = 100;
constexpr unsigned kHelpColumns = 55;

std::string default_of(const Option& option) {
  if (option.arity == Arity::none) return {};
  return option.get().value_or(option.fallback);
}

std::string explanation(const Option& option) {
  const bool is_required = option.presence == Presence::required;
  const std::string limits = option.note.empty() ? "" : fmt::format(" ({})", option.note);
  return fmt::format("{}{}{}", option.help, limits, is_required ? "; required" : "");
}

void add(po::options_description& description, const Option& option) {
  const std::string help = explanation(option);
  if (option.arity == Arity::none) {
    description.add_options()(option.name.c_str(), help.c_str());
    return;
  }
  auto* const value = po::value<std::string>()->value_name(option.value_name);
  const std::string fallback = default_of(option);
  if (!fallback.empty()) value->default_value({}, fallback);
  description.add_options()(option.name.c_str(), value, help.c_str());
}

}  // namespace

std::string command_help(const HelpText& text, std::span<const Option> options,
                         const Terminal& terminal) {
  std::ostringstream out;
  out << bold("usage:", terminal) << " " << text.usage << "\n\n" << text.about << "\n";
  for (std::size_t i = 0; i < options.size();) {
    const std::string section = section_of(options[i]);
    po::options_description description{kColumns, kHelpColumns};
    for (; i < options.size() && section_of(options[i]) == section; ++i) {
      add(description, options[i]);
    }
    out << "\n" << bold(section.empty() ? "options:" : "[" + section + "]", terminal) << "\n";
    out << description;
  }
  if (!text.examples.empty()) out << "\n" << bold("examples:", terminal) << "\n" << text.examples;
  return out.str();
}

}  // namespace ballast::cli

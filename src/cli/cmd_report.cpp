#include <filesystem>
#include <fmt/format.h>
#include <string>
#include <vector>

#include "base/option_row.hpp"
#include "base/text.hpp"
#include "cli/commands.hpp"
#include "cli/help.hpp"
#include "cli/resolved_config.hpp"
#include "report/report.hpp"
#include "storage/files.hpp"

namespace ballast::cli {

namespace {

using option_row::required, option_row::word;

constexpr HelpText kHelp{
    .usage = "ballast report RUN [--output FILE]",
    .about =
        "Draws a run, finished or not, as one HTML page that needs no network: loss with alerts,\n"
        "risk, features of the blocks over steps, eigenvalues, gradient norm, throughput, memory.",
    .examples =
        "  ballast report runs/first\n"
        "  ballast report runs/first --output first.html\n"};

struct Request {
  std::filesystem::path run;
  std::filesystem::path output;
};

std::vector<Option> options_for(Request& request) {
  Option output = word("output", "FILE", request.output, "where the page goes");
  output.fallback = "RUN/report.html";
  return {required(word("run", "RUN", request.run, "the run.dir of a training")), output};
}

report::Settings read_settings(const std::filesystem::path& run) {
  report::Settings settings;
  if (!std::filesystem::exists(run / kResolvedConfig)) return settings;
  for (auto& [name, value, where] : read_resolved_config(run)) {
    settings.emplace_back(std::move(name), std::move(value));
  }
  return settings;
}

std::string help(const Terminal& terminal) {
  Request defaults;
  return command_help(kHelp, options_for(defaults), terminal);
}

ExitCode run(Arguments arguments) {
  Request request;
  read_command_line(arguments, options_for(request), "run");
  if (request.output.empty()) request.output = request.run / "report.html";
  const std::string page = report::make_page(request.run, read_settings(request.run));
  storage::write_text_atomically(request.output, page);
  fmt::print("{}: {}; open it in a browser\n", request.output.string(), human_bytes(page.size()));
  return ExitCode::ok;
}

}  // namespace

Command report_command() { return {"report", "draw a run as one HTML page", help, SerialRun{run}}; }

}  // namespace ballast::cli

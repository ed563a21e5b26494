#include "cli/terminal.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <string_view>
#include <unistd.h>

#include "cli/launcher.hpp"

namespace ballast::cli {

namespace {

bool is_mpirun(std::string_view name) {
  constexpr std::array<std::string_view, 4> kNames{"mpirun", "mpiexec", "orterun", "prterun"};
  return std::any_of(kNames.begin(), kNames.end(),
                     [name](std::string_view known) { return name.starts_with(known); });
}

bool is_terminal_device(std::string_view path) {
  return path.starts_with("/dev/pts/") || path.starts_with("/dev/tty");
}

std::string variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? std::string{} : value;
}

}  // namespace

Terminal decide_terminal(const TerminalFacts& facts) {
  const bool there = facts.under_launcher
                         ? is_mpirun(facts.parent_name) && is_terminal_device(facts.parent_stdout)
                         : facts.stdout_is_tty;
  const bool live = there && !facts.term.empty() && facts.term != "dumb";
  return {.live = live, .color = live && !facts.no_color};
}

Terminal detect_terminal() {
  TerminalFacts facts{.stdout_is_tty = ::isatty(STDOUT_FILENO) == 1,
                      .under_launcher = launcher_rank().has_value(),
                      .parent_name = {},
                      .parent_stdout = {},
                      .term = variable("TERM"),
                      .no_color = !variable("NO_COLOR").empty()};
  const std::string parent = fmt::format("/proc/{}", ::getppid());
  std::ifstream comm{parent + "/comm"};
  std::getline(comm, facts.parent_name);
  std::error_code unreadable;
  facts.parent_stdout = std::filesystem::read_symlink(parent + "/fd/1", unreadable).string();
  return decide_terminal(facts);
}

std::string bold(const std::string& text, const Terminal& terminal) {
  return terminal.color ? fmt::format("\x1b[1m{}\x1b[0m", text) : text;
}

}  // namespace ballast::cli

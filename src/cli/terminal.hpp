#pragma once

#include <string>

namespace ballast::cli {

/// How to write for whoever reads standard output. Plain is what files and pipes get.
struct Terminal {
  bool live = false;    ///< a line may be rewritten in place
  bool colour = false;  ///< escape sequences for bold
};

/// What the decision rests on.
struct TerminalFacts {
  bool stdout_is_tty = false;
  bool under_launcher = false;
  std::string parent_name;    ///< /proc/PPID/comm
  std::string parent_stdout;  ///< what /proc/PPID/fd/1 points to
  std::string term;           ///< the variable TERM
  bool no_color = false;      ///< NO_COLOR is set and not empty
};

/// Open MPI's mpirun gives every rank a pseudo-terminal, wherever its own output goes, so under a
/// launcher isatty says nothing: what mpirun's own standard output points to does. Without a
/// readable parent (another host, a wrapper) the answer is plain.
[[nodiscard]] Terminal decide_terminal(const TerminalFacts& facts);

/// The terminal of this process.
[[nodiscard]] Terminal detect_terminal();

/// `text` in bold where there is colour.
[[nodiscard]] std::string bold(const std::string& text, const Terminal& terminal);

}  // namespace ballast::cli

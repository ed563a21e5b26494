#pragma once

#include <string>

namespace ballast::cli {

/// How to write to standard output. Files and pipes get plain text.
struct Terminal {
  bool live = false;   ///< a line may be rewritten in place
  bool color = false;  ///< escape sequences for bold
};

/// The facts for this decision.
struct TerminalFacts {
  bool stdout_is_tty = false;
  bool under_launcher = false;
  std::string parent_name;    ///< /proc/PPID/comm
  std::string parent_stdout;  ///< what /proc/PPID/fd/1 points to
  std::string term;           ///< the variable TERM
  bool no_color = false;      ///< NO_COLOR is set and not empty
};

/// Open MPI's mpirun gives every rank a pseudo-terminal, wherever its own output goes. So under a
/// launcher the standard output of mpirun itself decides, not isatty. If the parent cannot be read
/// (another host, a wrapper), the answer is plain.
[[nodiscard]] Terminal decide_terminal(const TerminalFacts& facts);

/// The terminal of this process.
[[nodiscard]] Terminal detect_terminal();

/// `text` in bold where there is color.
[[nodiscard]] std::string bold(const std::string& text, const Terminal& terminal);

}  // namespace ballast::cli

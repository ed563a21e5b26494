#pragma once

#include <string>

namespace ballast::cli {

/// Passes on what was printed. A data Error if standard output has not taken all of it, now or
/// earlier: a full disk, a reader that went away.
void flush_output();

/// Whether standard output has refused something so far.
[[nodiscard]] bool output_failed();

/// A line on standard error, after what was printed so far, in one write: messages of several ranks
/// do not mix.
void print_line(const std::string& line);
/// "ballast: error: MESSAGE" on standard error.
void print_error(const std::string& message);

}  // namespace ballast::cli

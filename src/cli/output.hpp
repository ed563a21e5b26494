#pragma once

#include <string>

namespace ballast::cli {

/// Flushes standard output. Throws a data Error if it did not take all that was printed, now or
/// earlier: the disk is full, or the reader has gone.
void flush_output();

/// Whether a write to standard output has failed so far.
[[nodiscard]] bool output_failed();

/// A line on standard error, after what was printed so far, in one write: messages of several ranks
/// do not mix.
void print_line(const std::string& line);
/// "ballast: error: MESSAGE" on standard error.
void print_error(const std::string& message);

}  // namespace ballast::cli

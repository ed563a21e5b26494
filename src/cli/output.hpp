#pragma once

namespace ballast::cli {

/// Passes on what was printed. A data Error if standard output has not taken all of it, now or
/// earlier: a full disk, a reader that went away.
void flush_output();

/// Whether standard output has refused something so far.
[[nodiscard]] bool output_failed();

}  // namespace ballast::cli

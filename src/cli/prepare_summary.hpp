#pragma once

#include "data/prepare.hpp"

namespace ballast::cli {

/// Prints what `prepare` took, what it left out and what it made of it, a line each.
void print_summary(const data::PrepareOptions& options, const data::PrepareSummary& summary,
                   double elapsed_s);

/// Warns on standard error of a split that cannot fill a window, and says what helps.
void warn_of_empty_splits(const data::PrepareOptions& options, const data::PrepareSummary& summary);

}  // namespace ballast::cli

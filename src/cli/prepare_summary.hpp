#pragma once

#include "data/prepare.hpp"

namespace ballast::cli {

/// Prints the inputs of `prepare`, those that it left out, and the result, a line each.
void print_summary(const data::PrepareOptions& options, const data::PrepareSummary& summary,
                   double elapsed_s);

/// Warns on standard error of a split that cannot fill a window, and says what helps.
void warn_of_empty_splits(const data::PrepareOptions& options, const data::PrepareSummary& summary);

}  // namespace ballast::cli

#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "formats/gguf/paired_rows.hpp"

namespace ballast::formats {

/// Elements of a matrix that lie side by side on both sides: here and in a file whose rows may
/// stand in another order.
struct RowRun {
  std::size_t first = 0;  ///< of the range that is walked
  std::size_t count = 0;
  std::uint64_t first_in_file = 0;  ///< element of the file's tensor
};

/// Calls visit(RowRun) for the runs that elements [first, first + count) of a matrix with so many
/// columns consist of: one where rows stand as they do here, else one a row or part of a row.
template <class Visit>
void for_each_run(const PairedRows& rows, std::size_t columns, std::size_t first, std::size_t count,
                  Visit&& visit) {
  if (rows.is_identity()) return visit(RowRun{0, count, first});
  for (std::size_t done = 0; done < count;) {
    const std::size_t row = (first + done) / columns;
    const std::size_t column = (first + done) % columns;
    const std::size_t part = std::min(columns - column, count - done);
    visit(RowRun{done, part, std::uint64_t{rows.in_file(row)} * columns + column});
    done += part;
  }
}

}  // namespace ballast::formats

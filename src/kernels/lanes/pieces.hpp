#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>

#include "base/team.hpp"

// How kernels that pass over memory are cut into tasks: by shape alone, into runs so long that the
// cost of starting a task does not matter. No sum is cut: its elements stay in one task.
namespace ballast::kernels {

/// Elements that one task takes.
inline constexpr std::size_t kPieceElements = std::size_t{1} << 14;

/// Columns that one task takes where rows are summed up: two cache lines of floats.
inline constexpr std::size_t kPieceColumns = 32;

/// f(first, count) for runs of elements.
template <class F>
void for_elements(Team* team, std::size_t count, F&& f) {
  run_pieces(team, count, kPieceElements, std::forward<F>(f));
}

/// f(first, count) for runs of rows, each `width` elements wide.
template <class F>
void for_rows(Team* team, std::size_t rows, std::size_t width, F&& f) {
  run_pieces(team, rows, std::max<std::size_t>(1, kPieceElements / std::max<std::size_t>(1, width)),
             std::forward<F>(f));
}

/// f(first, count) for runs of columns.
template <class F>
void for_columns(Team* team, std::size_t columns, F&& f) {
  run_pieces(team, columns, kPieceColumns, std::forward<F>(f));
}

}  // namespace ballast::kernels

#pragma once

#include <cstddef>

namespace ballast::test {

/// Counts what this program allocates with operator new, this thread's only, while it lives.
/// Allocations by libraries other than the standard one (oneDNN, MPI, ...) are theirs and do not
/// count: whose it is, the first caller outside the standard library says.
class CountAllocations {
 public:
  CountAllocations();
  ~CountAllocations();
  CountAllocations(const CountAllocations&) = delete;
  CountAllocations& operator=(const CountAllocations&) = delete;

  [[nodiscard]] std::size_t own() const;
  /// Those of other libraries.
  [[nodiscard]] std::size_t foreign() const;
  /// Prints where the first one came from, for `addr2line -Cfe PROGRAM`.
  void print_first() const;
};

}  // namespace ballast::test

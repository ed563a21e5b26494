// What libFuzzer learns of code that gcc compiled: gcc calls a function at every edge, and
// libFuzzer reads counters of a section of this name. Its own way needs clang, which the kernels do
// not know.

#include <cstddef>
#include <cstdint>

namespace {

constexpr std::size_t kCounters = std::size_t{1} << 16;

// A plain array: what a container's functions do would be counted, too, without end.
__attribute__((section("__libfuzzer_extra_counters"))) std::uint8_t counters[kCounters];

}  // namespace

extern "C" {

// The linker has calls of __sanitizer_cov_trace_pc end here (--wrap): libFuzzer's own function of
// that name says that it wants clang.
void __wrap___sanitizer_cov_trace_pc();

__attribute__((no_sanitize_coverage, no_sanitize("address", "undefined"))) void
__wrap___sanitizer_cov_trace_pc() {
  const auto place = reinterpret_cast<std::uintptr_t>(__builtin_return_address(0));
  ++counters[(place ^ place >> 16) % kCounters];
}

// gcc tells of comparisons of floating-point numbers, too, of which libFuzzer knows nothing.
void __sanitizer_cov_trace_cmpf(float, float);
void __sanitizer_cov_trace_cmpd(double, double);
void __sanitizer_cov_trace_cmpf(float, float) {}
void __sanitizer_cov_trace_cmpd(double, double) {}

}  // extern "C"

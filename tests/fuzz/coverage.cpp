// What libFuzzer learns of code that gcc compiled: gcc calls the function below at every edge, and
// libFuzzer reads counters of a section of this name. The library's own way needs clang.

#include <cstddef>
#include <cstdint>

namespace {

constexpr std::size_t kCounters = std::size_t{1} << 16;

// A plain array: what a container's functions do would be counted, too, without end.
__attribute__((section("__libfuzzer_extra_counters"))) std::uint8_t counters[kCounters];

}  // namespace

extern "C" {

void __sanitizer_cov_trace_pc();

__attribute__((no_sanitize_coverage, no_sanitize("address", "undefined"))) void
__sanitizer_cov_trace_pc() {
  const auto place = reinterpret_cast<std::uintptr_t>(__builtin_return_address(0));
  ++counters[(place ^ place >> 16) % kCounters];
}

}  // extern "C"

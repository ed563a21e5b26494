#include "monitor/footprint.hpp"

#include <gtest/gtest.h>
#include <malloc.h>

#include "kernels/gemm/gemm_factory.hpp"
#include "kernels/gemm/gemm_table.hpp"

namespace ballast::monitor {
namespace {

std::uint64_t allocated() {
  const auto info = ::mallinfo2();
  return info.uordblks + info.hblkhd;
}

MonitorOptions options_of(std::size_t layers, std::size_t dim, std::size_t capacity) {
  return {.model = {"pre", false, dim, layers}, .tokens = 2048, .capacity = capacity};
}

TEST(Footprint, IsWhatAMonitorAllocates) {
  const auto gemm = kernels::make_gemm(kernels::GemmTable::shipped());
  for (const std::size_t dim : {96u, 256u, 257u, 768u}) {
    for (const std::size_t layers : {2u, 7u}) {
      for (const std::size_t capacity : {100u, 1024u}) {
        const auto options = options_of(layers, dim, capacity);
        const std::uint64_t before = allocated();
        const Monitor monitor{options, *gemm};
        const auto actual = static_cast<double>(allocated() - before);
        EXPECT_NEAR(static_cast<double>(footprint(options)), actual, 0.03 * actual)
            << layers << " blocks of " << dim << ", " << capacity << " tokens";
      }
    }
  }
}

TEST(Footprint, NoneWhereThereAreNoProbes) {
  auto options = options_of(4, 512, 0);
  options.every = 0;
  EXPECT_EQ(footprint(options), 0u);
}

}  // namespace
}  // namespace ballast::monitor

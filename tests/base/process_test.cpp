#include "base/process.hpp"

#include <cstddef>
#include <gtest/gtest.h>
#include <vector>

#include "support/sanitized.hpp"

namespace ballast {
namespace {

TEST(HostName, IsNotEmpty) { EXPECT_FALSE(host_name().empty()); }

TEST(MemoryUse, SeesWhatIsTouched) {
  const MemoryUse before = memory_use();
  constexpr std::size_t kBytes = std::size_t{64} << 20;
  std::vector<std::byte> block(kBytes, std::byte{1});
  // The address escapes, so that the compiler cannot leave the block out.
  const std::byte* const volatile address = block.data();
  ASSERT_NE(address, nullptr);
  const MemoryUse after = memory_use();
  EXPECT_GE(after.pss, before.pss + kBytes * 9 / 10);
  EXPECT_GE(after.anonymous, before.anonymous + kBytes * 9 / 10);
  EXPECT_LT(after.pss, before.pss + kBytes * (test::kSanitized ? 8 : 2));
}

}  // namespace
}  // namespace ballast

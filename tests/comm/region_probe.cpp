// Fills shared memory with a text, says which process it is, and waits to be killed.
#include <string_view>
#include <unistd.h>

#include "comm/runtime.hpp"
#include "comm/shared_region.hpp"

int main(int argc, char** argv) {
  ballast::comm::Runtime runtime{argc, argv};
  const ballast::comm::SharedRegion region{runtime.world(), std::size_t{4} << 20};
  constexpr std::string_view kText = "ballast fills its shared memory";
  auto bytes = region.own();
  while (bytes.size() >= kText.size()) {
    bytes = bytes.subspan(kText.copy(reinterpret_cast<char*>(bytes.data()), kText.size()));
  }
  runtime.world().barrier({"all have filled"});
  fmt::print("filled by {}\n", ::getpid());
  std::fflush(stdout);
  while (true) ::pause();
}

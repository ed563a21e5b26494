// libFuzzer's entry: libfuzzer FORMAT [options of libFuzzer] CORPUS...

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "base/error.hpp"

#include "fuzz/formats.hpp"

namespace {

/// libFuzzer calls without a context of ours.
const ballast::fuzz::Format* chosen = nullptr;

}  // namespace

extern "C" int LLVMFuzzerInitialize(int* count, char*** arguments) {
  const auto formats = ballast::fuzz::formats();
  if (*count > 1) {
    const auto found =
        std::ranges::find(formats, std::string_view{(*arguments)[1]}, &ballast::fuzz::Format::name);
    if (found != formats.end()) chosen = &*found;
  }
  if (chosen == nullptr) {
    std::fputs("usage: libfuzzer FORMAT [options of libFuzzer] CORPUS...\nformats:", stderr);
    for (const auto& format : formats) std::fprintf(stderr, " %s", format.name.data());
    std::fputs("\n", stderr);
    std::exit(2);
  }
  std::copy(*arguments + 2, *arguments + *count, *arguments + 1);
  --*count;
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    chosen->read({data, size});
  } catch (const ballast::Error&) {
  }
  return 0;
}

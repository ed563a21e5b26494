#include "allocation/count_allocations.hpp"

#include <array>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <execinfo.h>
#include <gtest/gtest.h>
#include <memory>
#include <new>
#include <string>
#include <vector>

namespace ballast::test {

namespace {

constexpr int kMostFrames = 32;

struct Counter {
  bool counts = false;
  std::size_t own = 0;
  std::size_t foreign = 0;
  std::array<void*, kMostFrames> first{};
  int first_frames = 0;
};
thread_local Counter counter;

/// The start in memory of the program or library that has `address`, and its file.
Dl_info object_at(const void* address) {
  Dl_info info{};
  dladdr(address, &info);
  return info;
}

bool is_standard_library(const Dl_info& object) {
  return object.dli_fname != nullptr && std::strstr(object.dli_fname, "libstdc++") != nullptr;
}

/// Called by the replaced operators only: their frames are of this program and come first.
[[gnu::noinline]] void note(int own_frames) {
  if (!counter.counts) return;
  counter.counts = false;  // unwinding may allocate
  std::array<void*, kMostFrames> frames{};
  const int count = backtrace(frames.data(), kMostFrames);
  const void* const program = object_at(reinterpret_cast<const void*>(&note)).dli_fbase;
  bool is_own = false;
  for (int i = own_frames; i < count; ++i) {
    const Dl_info object = object_at(frames[static_cast<std::size_t>(i)]);
    if (is_standard_library(object)) continue;
    is_own = object.dli_fbase == program;
    break;
  }
  if (is_own && counter.own++ == 0) {
    counter.first = frames;
    counter.first_frames = count;
  }
  if (!is_own) ++counter.foreign;
  counter.counts = true;
}

/// note, allocate and the operator itself.
constexpr int kOwnFrames = 3;

[[gnu::noinline]] void* allocate(std::size_t size, std::size_t alignment) {
  note(kOwnFrames);
  const std::size_t rounded = (size + alignment - 1) / alignment * alignment;
  void* const memory = std::aligned_alloc(alignment, rounded == 0 ? alignment : rounded);
  if (memory == nullptr) throw std::bad_alloc{};
  return memory;
}

}  // namespace

CountAllocations::CountAllocations() {
  std::array<void*, 1> ignored{};
  backtrace(ignored.data(), 1);  // loads its library
  counter = {.counts = true};
}
CountAllocations::~CountAllocations() { counter.counts = false; }

std::size_t CountAllocations::own() const { return counter.own; }
std::size_t CountAllocations::foreign() const { return counter.foreign; }
void CountAllocations::print_first() const {
  backtrace_symbols_fd(counter.first.data(), counter.first_frames, 2);
}

namespace {

TEST(CountAllocations, CountsOursAndThoseOfTheStandardLibraryForUs) {
  std::array<std::size_t, 4> seen{};  // expectations allocate, too
  {
    const CountAllocations count;
    seen[0] = count.own();
    const auto number = std::make_unique<int>(1);
    seen[1] = count.own();
    const std::string text(100, 'x');  // made inside libstdc++
    seen[2] = count.own();
    const std::vector<double> values(10);
    seen[3] = count.own();
  }
  EXPECT_EQ(seen, (std::array<std::size_t, 4>{0, 1, 2, 3}));
}

}  // namespace
}  // namespace ballast::test

void* operator new(std::size_t size) {
  return ballast::test::allocate(size, alignof(std::max_align_t));
}
void* operator new(std::size_t size, std::align_val_t alignment) {
  return ballast::test::allocate(size, static_cast<std::size_t>(alignment));
}
// Inlined, gcc would take the call of free for one that does not match its operator new.
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::align_val_t) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
  std::free(memory);
}

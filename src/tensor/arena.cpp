#include "tensor/arena.hpp"

#include <cerrno>
#include <cstring>
#include <sys/mman.h>

#include "base/text.hpp"

namespace ballast {

std::string_view name_of(MemoryClass memory_class) {
  switch (memory_class) {
    case MemoryClass::parameters:
      return "parameters";
    case MemoryClass::gradients:
      return "gradients";
    case MemoryClass::optimizer:
      return "optimizer";
    case MemoryClass::transient:
      return "transient";
    case MemoryClass::activations:
      return "activations";
    case MemoryClass::scratch:
      return "scratch";
    case MemoryClass::monitor:
      return "monitor";
  }
  return "?";
}

Mapping::Mapping(std::size_t bytes) : size_{bytes} {
  if (bytes == 0) return;
  void* mapped = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) {
    throw internal_error("cannot map {} of memory: {}; use a smaller model or batch, or more ranks",
                         human_bytes(bytes), std::strerror(errno));
  }
  ::madvise(mapped, bytes, MADV_HUGEPAGE);  // a hint: systems without it lose a few percent
  data_ = static_cast<std::byte*>(mapped);
}

Mapping::~Mapping() {
  if (data_ != nullptr) ::munmap(data_, size_);
}

Mapping::Mapping(Mapping&& other) noexcept
    : data_{std::exchange(other.data_, nullptr)}, size_{std::exchange(other.size_, 0)} {}

Mapping& Mapping::operator=(Mapping&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

std::size_t Arena::reserve_bytes(MemoryClass memory_class, std::size_t bytes) {
  if (committed_) throw internal_error("the arena is committed: nothing can be reserved any more");
  const std::size_t offset = size_;
  size_ += aligned_size(bytes);
  by_class_.emplace_back(memory_class, aligned_size(bytes));
  return offset;
}

void Arena::commit() {
  if (committed_) throw internal_error("the arena is committed twice");
  mapping_ = Mapping{size_};
  memory_ = mapping_.bytes();
  committed_ = true;
}

void Arena::commit(std::span<std::byte> memory) {
  if (committed_) throw internal_error("the arena is committed twice");
  if (memory.size() < size_) {
    throw internal_error("{} bytes are planned, {} are there", size_, memory.size());
  }
  memory_ = memory.first(size_);
  committed_ = true;
}

std::byte* Arena::bytes_at(std::size_t offset, std::size_t bytes) const {
  if (!committed_) throw internal_error("the arena is not committed yet");
  return memory_.subspan(offset, bytes).data();
}

std::size_t Arena::planned_bytes(MemoryClass memory_class) const {
  std::size_t bytes = 0;
  for (const auto& [kind, size] : by_class_) {
    if (kind == memory_class) bytes += size;
  }
  return bytes;
}

}  // namespace ballast

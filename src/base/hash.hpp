#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace ballast {

/// An XXH3 128-bit hash. Guards against damage, not against an adversary.
struct Hash128 {
  std::uint64_t high = 0;
  std::uint64_t low = 0;

  [[nodiscard]] std::string hex() const;
  /// Reads what `hex` writes; throws a data Error otherwise.
  static Hash128 parse(std::string_view hex);
  friend bool operator==(const Hash128&, const Hash128&) = default;
};

[[nodiscard]] Hash128 hash_bytes(std::span<const std::byte> bytes);

template <class T>
[[nodiscard]] Hash128 hash_of(std::span<const T> values) {
  return hash_bytes(std::as_bytes(values));
}

/// Hashes a stream piece by piece; equal to hash_bytes of the whole.
class Hasher {
 public:
  Hasher();
  ~Hasher();
  Hasher(Hasher&&) noexcept;
  Hasher& operator=(Hasher&&) noexcept;
  Hasher(const Hasher&) = delete;
  Hasher& operator=(const Hasher&) = delete;

  void update(std::span<const std::byte> bytes);
  [[nodiscard]] Hash128 digest() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace ballast

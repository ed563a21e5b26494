#include "base/hash.hpp"

#include <charconv>
#include <new>
#include <xxhash.h>

#include "base/error.hpp"
#include "base/text.hpp"

namespace ballast {

namespace {

Hash128 from_xxh(XXH128_hash_t hash) { return {hash.high64, hash.low64}; }

std::uint64_t parse_word(std::string_view hex) {
  std::uint64_t word = 0;
  const auto [end, error] = std::from_chars(hex.data(), hex.data() + hex.size(), word, 16);
  if (error != std::errc{} || end != hex.data() + hex.size()) {
    throw data_error("'{}' is not a hash of 32 hexadecimal digits", excerpt(hex));
  }
  return word;
}

}  // namespace

std::string Hash128::hex() const { return fmt::format("{:016x}{:016x}", high, low); }

Hash128 Hash128::parse(std::string_view hex) {
  if (hex.size() != 32) {
    throw data_error("'{}' is not a hash of 32 hexadecimal digits", excerpt(hex));
  }
  return {parse_word(hex.substr(0, 16)), parse_word(hex.substr(16))};
}

Hash128 hash_bytes(std::span<const std::byte> bytes) {
  return from_xxh(XXH3_128bits(bytes.data(), bytes.size()));
}

struct Hasher::State {
  State() : state{XXH3_createState()} {
    if (state == nullptr) throw std::bad_alloc{};
    XXH3_128bits_reset(state);
  }
  ~State() { XXH3_freeState(state); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  XXH3_state_t* state;
};

Hasher::Hasher() : state_{std::make_unique<State>()} {}
Hasher::~Hasher() = default;
Hasher::Hasher(Hasher&&) noexcept = default;
Hasher& Hasher::operator=(Hasher&&) noexcept = default;

void Hasher::update(std::span<const std::byte> bytes) {
  XXH3_128bits_update(state_->state, bytes.data(), bytes.size());
}

Hash128 Hasher::digest() const { return from_xxh(XXH3_128bits_digest(state_->state)); }

}  // namespace ballast

#include "base/hash.hpp"

#include <array>
#include <gtest/gtest.h>
#include <vector>

#include "base/error.hpp"

namespace ballast {
namespace {

std::vector<std::byte> some_bytes(std::size_t count) {
  std::vector<std::byte> bytes(count);
  for (std::size_t i = 0; i < count; ++i) bytes[i] = static_cast<std::byte>(i * 131 >> 3);
  return bytes;
}

/// The canonical value of XXH3-128 for no bytes at all: another version or seed would show.
TEST(Hash, OfNothingIsThePublishedOne) {
  EXPECT_EQ(hash_bytes({}).hex(), "99aa06d3014798d86001c324468d497f");
}

TEST(Hash, SeesEveryByteAndTheLength) {
  auto bytes = some_bytes(1000);
  const Hash128 hash = hash_bytes(bytes);
  for (const std::size_t at : {0u, 500u, 999u}) {
    bytes[at] ^= std::byte{1};
    EXPECT_NE(hash_bytes(bytes), hash);
    bytes[at] ^= std::byte{1};
  }
  EXPECT_EQ(hash_bytes(bytes), hash);
  bytes.push_back({});
  EXPECT_NE(hash_bytes(bytes), hash);
}

TEST(Hash, OfValuesIsThatOfTheirBytes) {
  const std::array<float, 3> values{1.0f, -2.0f, 0.5f};
  EXPECT_EQ(hash_of(std::span<const float>{values}), hash_bytes(std::as_bytes(std::span{values})));
}

TEST(Hash, HexReadsBack) {
  const Hash128 hash{0x0123456789abcdef, 0x00000000000000f0};
  EXPECT_EQ(hash.hex(), "0123456789abcdef00000000000000f0");
  EXPECT_EQ(Hash128::parse(hash.hex()), hash);
}

TEST(Hash, ParseRefusesWhatIsNoHash) {
  for (const auto* text :
       {"", "12", "0123456789abcdef00000000000000f", "0123456789abcdef00000000000000f00",
        "0123456789abcdeg00000000000000f0", "0123456789abcdef 0000000000000f0",
        "-123456789abcdef00000000000000f0", "0x23456789abcdef00000000000000f0"}) {
    try {
      std::ignore = Hash128::parse(text);
      ADD_FAILURE() << "took '" << text << "'";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::data);
    }
  }
}

TEST(Hasher, PiecesAddUpToTheWhole) {
  const auto bytes = some_bytes(5000);
  for (const std::size_t piece : {1u, 7u, 64u, 1023u, 5000u}) {
    Hasher hasher;
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
      hasher.update(std::span{bytes}.subspan(at, std::min(piece, bytes.size() - at)));
    }
    EXPECT_EQ(hasher.digest(), hash_bytes(bytes)) << "pieces of " << piece;
  }
  EXPECT_EQ(Hasher{}.digest(), hash_bytes({}));
}

TEST(Hasher, GoesOnAfterADigestAndAMove) {
  const auto bytes = some_bytes(600);
  Hasher hasher;
  hasher.update(std::span{bytes}.first(200));
  EXPECT_EQ(hasher.digest(), hash_bytes(std::span{bytes}.first(200)));
  Hasher moved{std::move(hasher)};
  moved.update(std::span{bytes}.subspan(200));
  EXPECT_EQ(moved.digest(), hash_bytes(bytes));
}

}  // namespace
}  // namespace ballast

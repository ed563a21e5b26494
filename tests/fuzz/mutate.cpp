#include "fuzz/mutate.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace ballast::fuzz {

namespace {

/// Values at which sizes and counts go wrong.
constexpr std::array<std::uint64_t, 12> kEdges{0,
                                               1,
                                               0x7f,
                                               0xff,
                                               0xffff,
                                               0x7fffffff,
                                               0x80000000,
                                               0xffffffff,
                                               std::uint64_t{1} << 32,
                                               std::uint64_t{1} << 40,
                                               INT64_MAX,
                                               UINT64_MAX};

constexpr std::array<std::string_view, 16> kWords{
    "[",   "{",       "\"",  "]",  "}",  "null", "-1",        "1e999", "18446744073709551615",
    "0.5", "\\u0000", "../", "\n", "[[", "\x00", "{\"step\":"};

/// Copies of a part that are put one behind the other.
constexpr std::size_t kMostCopies = 200;
constexpr std::size_t kEnds = 3000;

}  // namespace

Bytes Mutator::next(std::span<const Bytes> corpus) {
  std::size_t most = std::size_t{64} << 10;
  for (const auto& input : corpus) most = std::max(most, 2 * input.size());
  Bytes input = corpus[below(corpus.size())];
  for (std::size_t times = 1 + below(4); times > 0; --times) alter(input, corpus);
  input.resize(std::min(input.size(), most));
  return input;
}

std::size_t Mutator::place(const Bytes& input) {
  const std::size_t end = std::min(input.size(), kEnds);
  switch (below(4)) {
    case 0:
      return input.size() - 1 - below(end);
    case 1:
      return below(input.size());
    default:
      return below(end);
  }
}

void Mutator::alter(Bytes& input, std::span<const Bytes> corpus) {
  if (input.empty()) input.push_back(static_cast<std::uint8_t>(random_()));
  const std::size_t at = place(input);
  switch (below(9)) {
    case 0:
      input[at] ^= static_cast<std::uint8_t>(1u << below(8));
      break;
    case 1:
      input[at] = static_cast<std::uint8_t>(random_());
      break;
    case 2:
      overwrite(input, at, kEdges[below(kEdges.size())], std::size_t{1} << below(4));
      break;
    case 3:
      overwrite(input, at, random_() >> below(60), std::size_t{1} << below(4));
      break;
    case 4: {
      const auto word = kWords[below(kWords.size())];
      input.insert(input.begin() + static_cast<std::ptrdiff_t>(at), word.begin(), word.end());
      break;
    }
    case 5: {
      const std::size_t size = std::min(input.size() - at, 1 + below(64));
      const auto first = input.begin() + static_cast<std::ptrdiff_t>(at);
      input.erase(first, first + static_cast<std::ptrdiff_t>(size));
      break;
    }
    case 6:
      repeat(input, at);
      break;
    case 7:
      splice(input, at, corpus[below(corpus.size())]);
      break;
    default:
      if (below(8) == 0) input.resize(at);
      break;
  }
}

void Mutator::overwrite(Bytes& input, std::size_t at, std::uint64_t value, std::size_t size) {
  for (std::size_t i = 0; i < size && at + i < input.size(); ++i) {
    input[at + i] = static_cast<std::uint8_t>(value >> (8 * i));
  }
}

void Mutator::repeat(Bytes& input, std::size_t at) {
  const std::size_t size = std::min(input.size() - at, 1 + below(32));
  const auto first = input.begin() + static_cast<std::ptrdiff_t>(at);
  const Bytes part{first, first + static_cast<std::ptrdiff_t>(size)};
  Bytes copies;
  for (std::size_t n = 1 + below(kMostCopies); n > 0; --n) {
    copies.insert(copies.end(), part.begin(), part.end());
  }
  input.insert(input.begin() + static_cast<std::ptrdiff_t>(at), copies.begin(), copies.end());
}

void Mutator::splice(Bytes& input, std::size_t at, const Bytes& other) {
  const std::size_t from = below(other.size());
  const std::size_t size = std::min(other.size() - from, 1 + below(256));
  const auto first = other.begin() + static_cast<std::ptrdiff_t>(from);
  input.insert(input.begin() + static_cast<std::ptrdiff_t>(at), first,
               first + static_cast<std::ptrdiff_t>(size));
}

}  // namespace ballast::fuzz

#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

// Made-up numbers for blocks, by counter. ggml_hashes.py makes the same ones.
namespace ballast::formats::test {

inline constexpr std::size_t kRows = 64;
inline constexpr std::size_t kColumns = 768;
inline constexpr std::size_t kCount = kRows * kColumns;

inline constexpr std::uint64_t kGolden = 0x9E3779B97F4A7C15u;

/// The output function of SplitMix64 (Steele, Lea & Flood 2014).
constexpr std::uint64_t mixed(std::uint64_t z) {
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

constexpr std::uint64_t random_word(std::uint64_t stream, std::uint64_t index) {
  return mixed((stream << 40) + (index + 1) * kGolden);
}

/// Nearly normal: the sum of twelve uniform numbers, which is exact.
inline double random_normal(std::uint64_t stream, std::uint64_t index) {
  std::uint64_t sum = 0;
  for (std::uint64_t k = 0; k < 12; ++k) sum += random_word(stream, 12 * index + k) >> 40;
  return static_cast<double>(sum) / 16777216.0 - 6.0;
}

/// One number of a kind: n nearly normal, w a random word, i its place.
using MakeNumber = std::function<double(double n, std::uint64_t w, std::uint64_t i)>;

struct Kind {
  std::string_view name;
  MakeNumber make;
};

inline double below(std::uint64_t w, std::uint64_t m) { return static_cast<double>(w % m); }

inline std::vector<Kind> kinds() {
  return {
      {"normal", [](double n, auto, auto) { return 0.02 * n; }},
      {"heavy", [](double n, auto, auto) { return 0.02 * n * n * n; }},
      {"outliers", [](double n, auto, auto i) { return i % 97 == 0 ? 3.0 * n : 0.01 * n; }},
      {"uniform",
       [](double, auto w, auto) { return static_cast<double>(w >> 40) / 16777216.0 - 0.5; }},
      {"zeros", [](double, auto, auto) { return 0.0; }},
      {"negative_zeros", [](double, auto, auto) { return -0.0; }},
      {"subnormal", [](double n, auto, auto) { return std::ldexp(n, -140); }},
      {"tiny", [](double n, auto, auto) { return 1e-15 * n; }},
      {"scattered",
       [](double n, auto w, auto) { return std::ldexp(n, -static_cast<int>(w % 60)); }},
      {"ties", [](double, auto w, auto) { return 0.5 * (below(w, 33) - 16.0); }},
      {"signs", [](double, auto w, auto) { return w % 2 == 0 ? 0.25 : -0.25; }},
      {"equal_in_32", [](double, auto, auto i) { return 0.1 * (below(i / 32, 13) - 6.0); }},
      {"equal_in_256", [](double, auto, auto i) { return 0.1 * (below(i / 256, 5) - 2.0); }},
      {"positive", [](double n, auto, auto) { return 1.0 + 0.01 * n; }},
      {"negative", [](double n, auto, auto) { return -1.0 + 0.01 * n; }},
      {"sparse", [](double n, auto w, auto) { return w % 20 == 0 ? n : 0.0; }},
      {"ramp", [](double, auto, auto i) { return below(i, 256) - 128.0; }},
      {"large", [](double n, auto, auto) { return 9000.0 * n; }},
  };
}

inline std::vector<float> numbers_of(const MakeNumber& make, std::size_t count = kCount) {
  std::vector<float> numbers(count);
  for (std::size_t i = 0; i < count; ++i) {
    numbers[i] = static_cast<float>(make(random_normal(1, i), random_word(2, i), i));
  }
  return numbers;
}

inline std::vector<float> normal_numbers(std::size_t count = kCount) {
  return numbers_of([](double n, std::uint64_t, std::uint64_t) { return 0.02 * n; }, count);
}

inline std::vector<float> column_importance() {
  std::vector<float> importance(kColumns);
  for (std::size_t c = 0; c < kColumns; ++c) {
    const double n = random_normal(3, c);
    importance[c] = static_cast<float>(n * n + 0.0009765625);
  }
  return importance;
}

/// Blocks of random bytes whose scales, fp16 numbers at these places, are finite.
inline std::vector<std::uint8_t> random_blocks(std::size_t blocks, std::size_t bytes_a_block,
                                               std::span<const std::size_t> scales) {
  std::vector<std::uint8_t> bytes(blocks * bytes_a_block);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<std::uint8_t>(random_word(4, i) >> 56);
  }
  for (std::size_t block = 0; block < blocks; ++block) {
    for (const std::size_t place : scales) bytes[block * bytes_a_block + place + 1] &= 0xBF;
  }
  return bytes;
}

/// Of bytes, as 64-bit words, each with its place.
inline std::uint64_t hash_of_words(std::span<const std::uint8_t> bytes) {
  std::uint64_t hash = 0;
  for (std::size_t i = 0; i * 8 < bytes.size(); ++i) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data() + 8 * i, std::min<std::size_t>(8, bytes.size() - 8 * i));
    hash += mixed(word + (i + 1) * kGolden);
  }
  return hash;
}

}  // namespace ballast::formats::test

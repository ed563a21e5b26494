#include "formats/gguf/blocks/level_search.hpp"

#include <algorithm>

#include "formats/gguf/blocks/scale_search.hpp"
#include "formats/gguf/blocks/super_block.hpp"

namespace ballast::formats {

namespace {

constexpr auto kTopLevelFloat = static_cast<float>(kTopLevel);

std::int32_t level_of(float in_units) { return nearest_within(in_units, 0, kTopLevel); }

/// Σ w·x·q and Σ w·q², kept up to date while single levels move.
struct Correlation {
  float with_values = 0.0f;
  float with_itself = 0.0f;

  [[nodiscard]] bool exceeds(const Correlation& other) const {
    return with_values * with_values * other.with_itself >
           other.with_values * other.with_values * with_itself;
  }
  void add(float weight, float x, float level) {
    with_values += weight * x * level;
    with_itself += weight * level * level;
  }
  void remove(float weight, float x, float level) {
    with_values -= weight * x * level;
    with_itself -= weight * level * level;
  }
};

/// units = how many units the largest number is.
float weigh_error(const float* x, const float* weights, std::size_t count, float largest,
                  float units) {
  const float inverse = units / largest;
  const float unit = 1.0f / inverse;
  float error = 0.0f;
  for (std::size_t i = 0; i < count; ++i) {
    const float difference = x[i] - unit * static_cast<float>(level_of(inverse * x[i]));
    error += weights[i] * difference * difference;
  }
  return error;
}

/// The inverse of the unit with the smallest error.
float find_inverse(const float* x, const float* weights, std::size_t count, float largest) {
  float best_units = kTopLevelFloat;
  float best = weigh_error(x, weights, count, largest, best_units);
  for (int k = -4; k <= 4; ++k) {
    if (k == 0) continue;
    const float units = 0.1f * static_cast<float>(k) + kTopLevelFloat;
    const float error = weigh_error(x, weights, count, largest, units);
    if (error < best) {
      best = error;
      best_units = units;
    }
  }
  return best_units / largest;
}

/// Moves levels one by one; says whether any moved.
bool refine(const float* x, const float* weights, std::size_t count, std::uint8_t* levels,
            Correlation& all) {
  bool has_moved = false;
  for (std::size_t i = 0; i < count; ++i) {
    Correlation others = all;
    others.remove(weights[i], x[i], static_cast<float>(levels[i]));
    if (!(others.with_values > 0.0f && others.with_itself > 0.0f)) continue;
    const std::int32_t level = level_of(x[i] * others.with_itself / others.with_values);
    if (level == levels[i]) continue;
    others.add(weights[i], x[i], static_cast<float>(level));
    if (!others.exceeds(all)) continue;
    levels[i] = static_cast<std::uint8_t>(level);
    all = others;
    has_moved = true;
  }
  return has_moved;
}

}  // namespace

float search_levels(const float* x, const float* weights, std::size_t count, std::uint8_t* levels) {
  std::fill_n(levels, count, std::uint8_t{0});
  const float largest = std::max(0.0f, *std::max_element(x, x + count));
  if (largest < kSmallestMagnitude) return 0.0f;
  const float inverse = find_inverse(x, weights, count, largest);
  Correlation all;
  for (std::size_t i = 0; i < count; ++i) {
    levels[i] = static_cast<std::uint8_t>(level_of(inverse * x[i]));
    all.add(weights[i], x[i], static_cast<float>(levels[i]));
  }
  for (int pass = 0; pass < 5; ++pass) {
    if (!refine(x, weights, count, levels, all)) break;
  }
  return all.with_itself > 0.0f ? all.with_values / all.with_itself : 0.0f;
}

}  // namespace ballast::formats

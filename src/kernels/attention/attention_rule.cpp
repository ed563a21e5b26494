#include "kernels/attention/attention_rule.hpp"

#include <bit>
#include <cmath>
#include <string_view>

#include "base/error.hpp"
#include "kernels/lanes/math.hpp"

namespace ballast::kernels {

namespace {

void require_number(std::string_view name, float value) {
  if (std::isfinite(value) && value >= 0.0f) return;
  throw internal_error("attention's {} is {}, which is no number from 0 on", name, value);
}

/// 2^(−8 i / heads)
float slope_of(std::size_t i, std::size_t heads) {
  constexpr double kLn2 = 0x1.62e42fefa39efp-1;
  const double exponent = -8.0 * static_cast<double>(i) / static_cast<double>(heads);
  return static_cast<float>(portable_exp(exponent * kLn2));
}

}  // namespace

void require_valid(const AttentionRule& rule, const AttentionDims& dims) {
  require_number("scale", rule.scale);
  require_number("softcap", rule.softcap);
  if (rule.slopes.empty()) return;
  if (rule.slopes.size() != dims.heads) {
    throw internal_error("attention of {} heads got {} slopes", dims.heads, rule.slopes.size());
  }
  if (rule.softcap > 0.0f) throw internal_error("attention got a softcap and slopes at once");
}

float attention_scale(const AttentionRule& rule, const AttentionDims& dims) {
  if (rule.scale > 0.0f) return rule.scale;
  return 1.0f / std::sqrt(static_cast<float>(dims.head_dim));
}

std::vector<float> alibi_slopes(std::size_t heads) {
  const std::size_t power = std::bit_floor(heads);
  std::vector<float> slopes;
  for (std::size_t i = 1; i <= power; ++i) slopes.push_back(slope_of(i, power));
  for (std::size_t i = 1; slopes.size() < heads; i += 2) slopes.push_back(slope_of(i, 2 * power));
  return slopes;
}

}  // namespace ballast::kernels

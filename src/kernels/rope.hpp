#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/team.hpp"
#include "kernels/rope_rule.hpp"
#include "tensor/element.hpp"

namespace ballast::kernels {

/// Cosines and sines of rotary position embeddings (Su et al. 2021), rotate-half layout: element
/// i of a head is paired with element i + head_dim / 2, at the angles of a RopeRule.
class RopeTable {
 public:
  RopeTable(std::size_t positions, std::size_t head_dim, const RopeRule& rule);

  [[nodiscard]] std::size_t positions() const { return positions_; }
  [[nodiscard]] std::size_t half() const { return half_; }
  /// Row `position`: half() cosines, then half() sines.
  [[nodiscard]] std::span<const float> row(std::size_t position) const {
    return std::span{values_}.subspan(position * 2 * half_, 2 * half_);
  }

 private:
  std::size_t positions_;
  std::size_t half_;
  std::vector<float> values_;
};

enum class Rotation { forward, backward };

/// y = every head of every token of x, rotated and multiplied by the rule's magnitude; `backward`
/// rotates the other way, which gives the gradient. x, y: [tokens, heads, head_dim] of any types,
/// and y may be x; positions: [tokens], each below table.positions().
void rope(const RopeTable& table, Rotation rotation, std::span<const std::int32_t> positions,
          std::size_t heads, const ConstElements& x, const Elements& y, Team* team = nullptr);

}  // namespace ballast::kernels

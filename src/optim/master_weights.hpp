#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "tensor/element.hpp"

namespace ballast::optim {

/// A run of a rank's master weights, as they are stored. `compute` is what the model multiplies
/// with; the rest is what the optimizer needs besides:
///   fp32: nothing, `compute` is the master;
///   bf16: `low`, the other half of the split master (kernels::split_master);
///   fp16: `full`, the master in fp32.
/// Weights that do not train have no rest: what the model computes with is all there is of them.
struct MasterSlice {
  std::size_t offset;  ///< first element within the rank's flat shard
  Elements compute;
  std::span<std::int16_t> low;
  std::span<float> full;
};

/// The masters [start, start + out.size()) of a slice as fp32, exactly.
void read(const MasterSlice& slice, std::size_t start, std::span<float> out);
/// Replaces them, and what the model computes with.
void write(const MasterSlice& slice, std::size_t start, std::span<const float> values);

/// A rank's flat shard of fp32 master weights, whatever they are stored as. A view: it owns
/// nothing.
class MasterWeights {
 public:
  MasterWeights() = default;
  /// Plain fp32 in one piece.
  MasterWeights(std::span<float> values);
  /// Slices side by side, from offset 0.
  explicit MasterWeights(std::vector<MasterSlice> slices);

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::span<const MasterSlice> slices() const { return slices_; }

  /// The masters [offset, offset + out.size()) as fp32, exactly.
  void read(std::size_t offset, std::span<float> out) const;
  /// Replaces them, and what the model computes with.
  void write(std::size_t offset, std::span<const float> values) const;

 private:
  template <class Act>
  void for_each_piece(std::size_t offset, std::size_t count, Act&& act) const;

  std::vector<MasterSlice> slices_;
  std::size_t size_ = 0;
};

}  // namespace ballast::optim

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "kernels/convert.hpp"
#include "optim/master_weights.hpp"

namespace ballast::optim {

/// A slice of master weights with its memory.
class OwnedMaster {
 public:
  OwnedMaster(ElementType type, std::size_t offset, std::size_t count)
      : compute_(count * size_of(type)),
        low_(type == ElementType::bf16 ? count : 0),
        full_(type == ElementType::fp16 ? count : 0),
        slice_{offset, {compute_.data(), count, type}, low_, full_} {}
  OwnedMaster(ElementType type, std::span<const float> masters)
      : OwnedMaster{type, 0, masters.size()} {
    MasterWeights({slice_}).write(0, masters);
  }
  OwnedMaster(const OwnedMaster&) = delete;
  OwnedMaster& operator=(const OwnedMaster&) = delete;

  [[nodiscard]] const MasterSlice& slice() const { return slice_; }

  /// What the model multiplies with.
  [[nodiscard]] std::vector<float> compute() const {
    std::vector<float> values(slice_.compute.size());
    kernels::widen(slice_.compute, values);
    return values;
  }

 private:
  std::vector<std::byte> compute_;
  std::vector<std::int16_t> low_;
  std::vector<float> full_;
  MasterSlice slice_;
};

}  // namespace ballast::optim

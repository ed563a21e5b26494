#pragma once

#include <cstddef>
#include <span>

#include "base/granule.hpp"
#include "model/parameter_info.hpp"

namespace ballast::model {

/// Where the weights of a model come from, tensor by tensor: a checkpoint of ours, or a folder in
/// another format. No one holds a whole model for it.
class WeightSource {
 public:
  virtual ~WeightSource() = default;

  /// Fills `out` (range.numel() elements) with granules of a tensor, counted from its start, as
  /// fp32; padding is zero. A data Error names the file.
  virtual void read(const ParameterInfo& tensor, GranuleRange range, std::span<float> out) = 0;
};

/// Where they go. Several processes may write to one place, each its own granules.
class WeightSink {
 public:
  virtual ~WeightSink() = default;

  /// Granules of a tensor that only make sense together: ranges of it begin at multiples of so
  /// many, and end at one or where the tensor does.
  [[nodiscard]] virtual std::size_t granules_together(const ParameterInfo&) const { return 1; }
  /// Takes granules of a tensor as WeightSource gives them; padding is left out. A data Error names
  /// the file.
  virtual void write(const ParameterInfo& tensor, GranuleRange range,
                     std::span<const float> values) = 0;
};

}  // namespace ballast::model

#pragma once

#include <vector>

#include "model/parameter_source.hpp"
#include "tensor/arena.hpp"

namespace ballast::model {

/// All parameters and gradients of a model in one process: the source for inference, for tests and
/// for comparing a sharded run with a whole one. Gradients add up until `clear_gradients`. Values
/// are fp32; where `compute` is narrower, `acquire` hands out a copy rounded to it.
class WholeParameters final : public ParameterSource {
 public:
  enum class Gradients { none, kept };

  WholeParameters(const ParameterTable& table, Gradients gradients,
                  ElementType compute = ElementType::fp32);

  [[nodiscard]] const ParameterTable& table() const { return *table_; }
  /// The unit's values, to be filled by the caller.
  [[nodiscard]] std::span<float> values(UnitId unit);
  [[nodiscard]] std::span<const float> gradients(UnitId unit) const;
  /// One tensor of the model, logical elements only.
  [[nodiscard]] std::span<float> tensor(const ParameterInfo& parameter);
  [[nodiscard]] std::span<const float> gradient(const ParameterInfo& parameter) const;
  /// Every unit's values, unit by unit, granule-padded: in canonical order where no unit is cut.
  [[nodiscard]] std::span<float> all_values();
  [[nodiscard]] std::span<const float> all_gradients() const;
  void initialize_all(std::uint64_t seed);
  void clear_gradients();

  ConstElements acquire(UnitId unit) override;
  void release(UnitId) override {}
  GradientRoom gradient_room(UnitId unit) override;
  void gradient_ready(UnitId) override {}

 private:
  const ParameterTable* table_;
  ElementType compute_;
  Mapping values_;
  Mapping gradients_;
  Mapping rounded_;  ///< the values in the compute type, where that is narrower
};

}  // namespace ballast::model

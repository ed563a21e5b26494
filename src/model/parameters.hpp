#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/granule.hpp"
#include "model/config.hpp"

namespace ballast::model {

/// Units are gathered and released together: unit 0 is the root (embedding, final norm, output
/// head), unit 1 + l is block l.
using UnitId = std::size_t;
inline constexpr UnitId kRootUnit = 0;

enum class Decay { no, yes };
enum class InitKind { normal, ones };

/// One row of the parameter table: what a tensor is, and where it lies.
struct ParameterInfo {
  std::string name;  ///< e.g. "block.3.attention.wq"
  std::vector<std::size_t> shape;
  UnitId unit;
  std::size_t offset;         ///< first element within the unit, a multiple of the granule
  std::size_t numel;          ///< logical elements; what follows up to the granule's end is padding
  std::size_t first_granule;  ///< in the canonical order of the whole model
  Decay decay;
  InitKind init;
  double init_std;  ///< for InitKind::normal

  [[nodiscard]] std::size_t granules() const { return granules_for(numel); }
};

struct UnitInfo {
  std::string name;             ///< "root", "block.3"
  std::size_t first_parameter;  ///< index into the table; a unit's parameters are adjacent
  std::size_t parameters;
  std::size_t first_granule;  ///< in canonical order
  std::size_t granules;

  [[nodiscard]] std::size_t padded_numel() const { return granules * kGranule; }
};

/// Every parameter of a model and the unit it belongs to. Canonical order is unit by unit, tensor
/// by tensor: hashes, norms and checkpoints follow it, whatever the sharding.
class ParameterTable {
 public:
  explicit ParameterTable(const ModelConfig& config);

  [[nodiscard]] std::span<const ParameterInfo> parameters() const { return parameters_; }
  [[nodiscard]] std::span<const UnitInfo> units() const { return units_; }
  [[nodiscard]] const UnitInfo& unit(UnitId id) const { return units_.at(id); }
  [[nodiscard]] std::span<const ParameterInfo> parameters_of(UnitId id) const;
  /// Throws an internal Error for an unknown name.
  [[nodiscard]] const ParameterInfo& find(const std::string& name) const;

  [[nodiscard]] std::size_t total_granules() const;
  /// Logical parameters, padding left out.
  [[nodiscard]] std::uint64_t total_numel() const;
  /// The unit with the most granules among the blocks.
  [[nodiscard]] std::size_t largest_block_granules() const;

 private:
  std::vector<ParameterInfo> parameters_;
  std::vector<UnitInfo> units_;
};

/// Writes the initial values of granules [range.first, range.end()) of one parameter into `out`
/// (range.numel() elements, padding zeroed). Element e of a tensor depends on (seed, tensor, e)
/// alone, so any split of the work gives the same model.
void initialise(const ParameterInfo& parameter, std::size_t index, std::uint64_t seed,
                GranuleRange range, std::span<float> out);

}  // namespace ballast::model

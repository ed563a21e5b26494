#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/granule.hpp"
#include "model/grouping.hpp"
#include "model/model_config.hpp"

namespace ballast::model {

/// Units are gathered and released together. The first are the ends of the model: the embedding,
/// then the final norm with the output head; one unit where the head is the embedding. The others
/// hold blocks, as the grouping says.
using UnitId = std::size_t;
inline constexpr UnitId kEmbeddingUnit = 0;

/// Where a block's tensor belongs: in which of its sublayers, and where in that one's list.
struct TensorSlot {
  static constexpr std::size_t kGain = kMostTensors;  ///< the gain of the norm around the sublayer
  std::size_t sublayer;
  std::size_t tensor;
};

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
  TensorRole role;
  TensorSlot slot;  ///< of a block's tensor

  [[nodiscard]] std::size_t granules() const { return granules_for(numel); }
};

struct UnitInfo {
  std::string name;  ///< "embedding", "head", "ends" for both, "block.3", "blocks.2-3",
                     ///< or "model" for everything; after the model's name, if it has one
  std::size_t first_parameter;  ///< index into the table; a unit's parameters are adjacent
  std::size_t parameters;
  std::size_t first_granule;  ///< in canonical order
  std::size_t granules;
  std::size_t first_layer;  ///< 0 for a plain end
  std::size_t layers;       ///< 0 for a plain end

  [[nodiscard]] std::size_t padded_numel() const { return granules * kGranule; }
};

/// Every parameter of a model and the unit it belongs to. Canonical order is embedding, final norm
/// and head, then block by block: hashes, norms and checkpoints follow it, whatever the grouping
/// and the sharding.
class ParameterTable {
 public:
  /// `name` tells models of one process apart, "teacher" say: units are called after it,
  /// "teacher.block.3"; parameters are not, since files know them as they are. Throws an internal
  /// Error when `grouping` does not hold every block once.
  explicit ParameterTable(const ModelConfig& config, const Grouping& grouping = {},
                          std::string name = {});

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] std::span<const ParameterInfo> parameters() const { return parameters_; }
  [[nodiscard]] std::span<const UnitInfo> units() const { return units_; }
  [[nodiscard]] const UnitInfo& unit(UnitId id) const { return units_.at(id); }
  [[nodiscard]] std::span<const ParameterInfo> parameters_of(UnitId id) const;
  /// Embedding, final norm and head.
  [[nodiscard]] std::span<const ParameterInfo> parameters_of_ends() const;
  /// The tensors of one block: a part of its unit.
  [[nodiscard]] std::span<const ParameterInfo> parameters_of_layer(std::size_t layer) const;

  [[nodiscard]] std::size_t layers() const { return units_of_layers_.size(); }
  /// The block that a row of parameters() belongs to; none: embedding, final norm and head.
  [[nodiscard]] std::optional<std::size_t> layer_of(std::size_t parameter) const;
  /// Where final norm and head lie: a unit of their own, or kEmbeddingUnit.
  [[nodiscard]] UnitId head_unit() const { return ends_ - 1; }
  [[nodiscard]] bool ends_share_a_unit() const { return head_unit() == kEmbeddingUnit; }
  /// Units in front of those that hold blocks alone: one or two.
  [[nodiscard]] std::size_t ends() const { return ends_; }
  [[nodiscard]] bool is_end(UnitId id) const { return id < ends_; }
  [[nodiscard]] UnitId unit_of_layer(std::size_t layer) const { return units_of_layers_.at(layer); }
  [[nodiscard]] std::size_t first_layer(UnitId id) const { return unit(id).first_layer; }
  /// How many blocks the unit holds: 0 for a plain end.
  [[nodiscard]] std::size_t layers_of(UnitId id) const { return unit(id).layers; }
  /// Throws an internal Error for an unknown name.
  [[nodiscard]] const ParameterInfo& find(const std::string& name) const;

  [[nodiscard]] std::size_t total_granules() const;
  /// Logical parameters, padding left out.
  [[nodiscard]] std::uint64_t total_numel() const;
  [[nodiscard]] std::size_t largest_end_granules() const;
  /// Granules of the largest unit that is no end; 0 if there is none.
  [[nodiscard]] std::size_t largest_block_granules() const;

 private:
  std::string name_;
  std::vector<ParameterInfo> parameters_;
  std::vector<UnitInfo> units_;
  std::size_t ends_ = 0;
  std::vector<UnitId> units_of_layers_;
  std::vector<std::size_t> first_parameters_;  ///< by layer, and one past the last
};

/// Writes the initial values of granules [range.first, range.end()) of one parameter into `out`
/// (range.numel() elements, padding zeroed). Element e of a tensor depends on (seed, tensor, e)
/// alone, so any split of the work gives the same model.
void initialise(const ParameterInfo& parameter, std::size_t index, std::uint64_t seed,
                GranuleRange range, std::span<float> out);

}  // namespace ballast::model

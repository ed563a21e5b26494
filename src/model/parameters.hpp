#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/granule.hpp"
#include "model/freeze.hpp"
#include "model/grouping.hpp"
#include "model/model_config.hpp"
#include "model/parameter_info.hpp"

namespace ballast::model {

/// Where in a model a tensor is used first: 0 is the embedding, 1 + i block i, and one more than
/// the last block what follows the blocks. A backward pass goes through the depths in reverse.
using Depth = std::size_t;
inline constexpr Depth kEmbeddingDepth = 0;

struct UnitInfo {
  std::string name;  ///< "embedding", "head", "ends" for both, "block.3", "blocks.2-3", or "model"
                     ///< for everything; ".frozen" and ".trained" for the parts of one that is cut;
                     ///< after the model's name, if it has one
  bool trains;
  std::vector<std::size_t> rows;  ///< of the table, ascending
  std::size_t first_granule;      ///< in the order of units
  std::size_t granules;
  Depth lowest;   ///< of its tensors: there a backward pass completes its gradient
  Depth highest;  ///< of its tensors, and of a head that is the embedding

  [[nodiscard]] std::size_t padded_numel() const { return granules * kGranule; }
};

/// Every parameter of a model and the unit it belongs to. Canonical order is embedding, positions
/// where they are learned, final norm and head, then block by block: random numbers, hashes and
/// checkpoints follow it, whatever the grouping, the sharding and what is frozen.
class ParameterTable {
 public:
  /// `name` tells models of one process apart, "teacher" say: units are called after it,
  /// "teacher.block.3"; parameters are not, since files know them as they are. Throws an internal
  /// Error when `grouping` does not hold every block once, and a usage Error that names
  /// optim.freeze for a pattern that no tensor has.
  explicit ParameterTable(const ModelConfig& config, const Grouping& grouping = {},
                          const Freeze& freeze = Freeze::nothing(), std::string name = {});

  [[nodiscard]] const std::string& name() const { return name_; }
  /// In canonical order.
  [[nodiscard]] std::span<const ParameterInfo> parameters() const { return parameters_; }
  /// First those that hold the ends of the model (embedding, final norm and head), then those that
  /// hold blocks alone, as the grouping says.
  [[nodiscard]] std::span<const UnitInfo> units() const { return units_; }
  [[nodiscard]] const UnitInfo& unit(UnitId id) const { return units_.at(id); }
  /// Embedding, positions, final norm and head.
  [[nodiscard]] std::span<const ParameterInfo> parameters_of_ends() const;
  /// The tensors of one block.
  [[nodiscard]] std::span<const ParameterInfo> parameters_of_layer(std::size_t layer) const;

  [[nodiscard]] std::size_t layers() const { return first_parameters_.size() - 1; }
  /// The block that a row of parameters() belongs to; none: embedding, final norm and head.
  [[nodiscard]] std::optional<std::size_t> layer_of(std::size_t parameter) const;

  [[nodiscard]] static Depth depth_of(std::size_t layer) { return 1 + layer; }
  [[nodiscard]] Depth head_depth() const { return depth_of(layers()); }
  /// The units that are read together at a depth: one, or a frozen and a trained one.
  [[nodiscard]] std::span<const UnitId> units_at(Depth depth) const { return units_at_.at(depth); }
  /// The lowest depth with a tensor that trains: a backward pass ends there. One more than
  /// head_depth() where nothing trains.
  [[nodiscard]] Depth lowest_trained() const;
  [[nodiscard]] bool trains(const ParameterInfo& parameter) const {
    return units_[parameter.unit].trains;
  }

  /// How many of units() come first because they hold an end of the model.
  [[nodiscard]] std::size_t ends() const { return ends_; }
  [[nodiscard]] bool is_end(UnitId id) const { return id < ends_; }
  /// Throws an internal Error for an unknown name.
  [[nodiscard]] const ParameterInfo& find(const std::string& name) const;

  [[nodiscard]] std::size_t total_granules() const;
  /// Logical parameters, padding left out.
  [[nodiscard]] std::uint64_t total_numel() const;
  /// Of these, the ones that train.
  [[nodiscard]] std::uint64_t trained_numel() const;

 private:
  struct Group;
  void add_group(const Group& group, const Freeze& freeze);
  void add_unit(std::string name, bool trains, std::vector<std::size_t> rows);
  void find_units_at_depths(const ModelConfig& config, std::size_t head);

  std::string name_;
  std::vector<ParameterInfo> parameters_;
  std::vector<UnitInfo> units_;
  std::size_t ends_ = 0;
  std::vector<std::size_t> first_parameters_;  ///< by layer, and one past the last
  std::vector<std::vector<UnitId>> units_at_;  ///< by depth
};

}  // namespace ballast::model

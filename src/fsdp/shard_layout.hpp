#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "base/granule.hpp"
#include "fsdp/mesh.hpp"
#include "model/parameters.hpp"

namespace ballast::fsdp {

/// A run of granules of one parameter within a rank's flat shard.
struct ShardSegment {
  std::size_t parameter;      ///< index into the parameter table
  GranuleRange granules;      ///< within the parameter
  std::size_t local_offset;   ///< first element within the rank's flat shard
  std::size_t logical_numel;  ///< elements that count; the rest up to the last granule is padding
};

/// Which rank has which granules. Each unit is cut into contiguous runs of granules, so that the
/// shards of a unit laid side by side are the gathered unit; a rank's flat shard is its runs of all
/// units that train, one after the other, and then of those that are frozen. So data that only
/// trained weights have, such as moments, is a shorter flat shard with the same offsets. Pure
/// arithmetic, the same on every rank.
///
/// A rank *holds* one of mesh.shards() runs of each unit: weights, moments and gradient of it. It
/// *owns* one of mesh.ranks() runs, a part of what it holds: the one that it reduces, hashes and
/// saves. Without replicas the two are the same.
class ShardLayout {
 public:
  ShardLayout(const model::ParameterTable& table, const Mesh& mesh, std::size_t rank);

  [[nodiscard]] const model::ParameterTable& table() const { return *table_; }
  [[nodiscard]] const Mesh& mesh() const { return mesh_; }
  [[nodiscard]] std::size_t rank() const { return rank_; }
  [[nodiscard]] std::size_t ranks() const { return mesh_.ranks(); }

  /// The granules of `unit`, counted within the unit, that `rank` owns.
  [[nodiscard]] GranuleRange owned(model::UnitId unit, std::size_t rank) const {
    return shard_range(table_->unit(unit).granules, mesh_.part_of(rank), mesh_.ranks());
  }
  [[nodiscard]] GranuleRange owned(model::UnitId unit) const { return owned(unit, rank_); }
  /// The granules of `unit` that the ranks of shard `shard` hold.
  [[nodiscard]] GranuleRange held_by_shard(model::UnitId unit, std::size_t shard) const {
    return shard_range(table_->unit(unit).granules, shard, mesh_.shards);
  }
  [[nodiscard]] GranuleRange held(model::UnitId unit) const {
    return held_by_shard(unit, mesh_.shard_of(rank_));
  }
  /// The most granules of `unit` that any rank owns.
  [[nodiscard]] std::size_t largest_owned(model::UnitId unit) const;
  /// Granules that a rank owns of the whole model, and of what trains.
  [[nodiscard]] std::size_t owned_granules(std::size_t rank) const;
  [[nodiscard]] std::size_t owned_trained_granules(std::size_t rank) const;

  /// Where what this rank holds of `unit` starts in its flat shard, in elements.
  [[nodiscard]] std::size_t held_offset(model::UnitId unit) const { return offsets_.at(unit); }
  /// The same for what it owns.
  [[nodiscard]] std::size_t owned_offset(model::UnitId unit) const {
    return held_offset(unit) + (owned(unit).first - held(unit).first) * kGranule;
  }
  /// Elements of this rank's flat shard, padding included.
  [[nodiscard]] std::size_t local_numel() const { return local_numel_; }
  /// Of these, the ones that train: the first ones.
  [[nodiscard]] std::size_t trained_numel() const { return trained_numel_; }
  /// Whether a segment is among them.
  [[nodiscard]] bool trains(const ShardSegment& segment) const {
    return segment.local_offset < trained_numel_;
  }
  [[nodiscard]] bool trains(model::UnitId unit) const { return table_->unit(unit).trains; }
  /// All units in the order of the flat shard.
  [[nodiscard]] std::span<const model::UnitId> order() const { return order_; }

  /// What this rank holds or owns, tensor by tensor, in the order of the flat shard.
  [[nodiscard]] std::span<const ShardSegment> held_segments() const { return held_; }
  [[nodiscard]] std::span<const ShardSegment> owned_segments() const { return owned_; }
  /// Of what it owns, the part that trains.
  [[nodiscard]] std::span<const ShardSegment> trained_segments() const {
    return owned_segments().first(trained_segments_);
  }

 private:
  const model::ParameterTable* table_;
  Mesh mesh_;
  std::size_t rank_;
  std::vector<model::UnitId> order_;
  std::vector<std::size_t> offsets_;  ///< by unit
  std::size_t local_numel_ = 0;
  std::size_t trained_numel_ = 0;
  std::vector<ShardSegment> held_;
  std::vector<ShardSegment> owned_;
  std::size_t trained_segments_ = 0;  ///< of owned_
};

}  // namespace ballast::fsdp

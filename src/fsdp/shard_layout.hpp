#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "base/granule.hpp"
#include "model/parameters.hpp"

namespace ballast::fsdp {

/// A run of granules of one parameter that a rank owns.
struct ShardSegment {
  std::size_t parameter;      ///< index into the parameter table
  GranuleRange granules;      ///< within the parameter
  std::size_t local_offset;   ///< first element within the rank's flat shard
  std::size_t logical_numel;  ///< elements that count; the rest up to the last granule is padding
};

/// Who owns which granules. Each unit is cut into contiguous runs of granules in rank order, so
/// that the shards of a unit laid side by side are the gathered unit; a rank's shard is its runs of
/// all units, one after the other. Pure arithmetic, the same on every rank.
class ShardLayout {
 public:
  ShardLayout(const model::ParameterTable& table, std::size_t rank, std::size_t world_size);

  [[nodiscard]] const model::ParameterTable& table() const { return *table_; }
  [[nodiscard]] std::size_t rank() const { return rank_; }
  [[nodiscard]] std::size_t world_size() const { return world_size_; }

  /// The granules of `unit`, counted within the unit, that `rank` owns.
  [[nodiscard]] GranuleRange range(model::UnitId unit, std::size_t rank) const {
    return shard_range(table_->unit(unit).granules, rank, world_size_);
  }
  [[nodiscard]] GranuleRange own_range(model::UnitId unit) const { return range(unit, rank_); }
  /// The most granules of `unit` that any rank owns.
  [[nodiscard]] std::size_t largest_shard(model::UnitId unit) const;

  /// Where this rank's part of `unit` starts in its flat shard, in elements.
  [[nodiscard]] std::size_t local_offset(model::UnitId unit) const { return offsets_.at(unit); }
  /// Elements of this rank's flat shard, padding included.
  [[nodiscard]] std::size_t local_numel() const { return offsets_.back(); }
  /// Granules of a rank's flat shard.
  [[nodiscard]] std::size_t local_granules(std::size_t rank) const;

  /// This rank's flat shard, tensor by tensor, in canonical order.
  [[nodiscard]] std::span<const ShardSegment> segments() const { return segments_; }

 private:
  const model::ParameterTable* table_;
  std::size_t rank_;
  std::size_t world_size_;
  std::vector<std::size_t> offsets_;  ///< by unit, then the total
  std::vector<ShardSegment> segments_;
};

/// The segments of `rank` for a world of any size: what a checkpoint reads when it was written by
/// another number of ranks.
[[nodiscard]] std::vector<ShardSegment> shard_segments(const model::ParameterTable& table,
                                                       std::size_t rank, std::size_t world_size);

}  // namespace ballast::fsdp

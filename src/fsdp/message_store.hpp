#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "comm/gather_slot.hpp"
#include "fsdp/groups.hpp"
#include "fsdp/shard_layout.hpp"
#include "fsdp/unit_store.hpp"
#include "tensor/arena.hpp"

namespace ballast::fsdp {

/// Units gathered by messages. The shards of a unit laid side by side are the gathered unit, so an
/// all-gather of bytes goes straight to where the model reads.
///
/// Rooms: one for embedding and head each, and 1 + prefetch_units for all other units in turn, or
/// as many for trained and as many for frozen units if a block has both; or one for every unit if
/// units stay gathered (grad_op, Reshard::never). The step program says which units come next:
/// their gathers start early, and the unit whose room is taken is one that is not read soon.
class MessageStore final : public UnitStore {
 public:
  /// Needs memory of the rank.
  MessageStore(const ShardLayout& layout, const Policy& policy, Needs& needs);
  void connect(Groups& groups, HostRegion*) override;

  [[nodiscard]] Elements held(model::UnitId unit) const override;
  ConstElements acquire(model::UnitId unit) override;
  void release(model::UnitId unit) override;
  void begin_version() override { ++version_; }
  void publish(model::UnitId unit) override { versions_.at(unit) = version_; }
  void follow(const model::StepProgram& program) override;
  [[nodiscard]] std::uint64_t gathered_bytes() const override { return gathered_bytes_; }

 private:
  struct Room {
    Arena::ElementSlot slot;
    model::UnitId unit = 0;
    std::uint64_t version = 0;  ///< 0: nothing gathered yet
    std::size_t leases = 0;
    std::size_t lane = 0;                   ///< which units it is for
    std::optional<comm::GatherSlot> early;  ///< a gather that may be under way
  };
  /// Where the pieces of a unit come from.
  struct Source {
    comm::Communicator* group;
    Elements own;
    std::size_t members;
    bool whole_group;  ///< false: the smaller one of reshard_after_forward
  };

  [[nodiscard]] bool keeps_all() const;
  [[nodiscard]] std::vector<std::size_t> find_lanes() const;
  void reserve_lane(std::size_t lane, Arena& arena);
  void reserve_kept(Arena& arena);
  [[nodiscard]] Elements contents(const Room& room, model::UnitId unit) const;
  [[nodiscard]] bool is_current(const Room& room) const;
  [[nodiscard]] Room* find(model::UnitId unit);
  [[nodiscard]] Room* free_room(model::UnitId unit);
  [[nodiscard]] Room& require_room(model::UnitId unit);
  void advance_to(model::UnitId unit);
  void look_ahead();
  void start_early(Room& room, model::UnitId unit);
  void gather_now(Room& room, model::UnitId unit);
  void claim(Room& room, model::UnitId unit);

  [[nodiscard]] GranuleRange kept_range(model::UnitId unit) const;
  [[nodiscard]] Source source_of(model::UnitId unit);
  void prepare_slices(const Source& source, model::UnitId unit);
  void keep_copy(const Room& room);

  const ShardLayout* layout_;
  Policy policy_;
  const Arena* arena_;
  Groups* groups_ = nullptr;
  Arena::ElementSlot weights_;
  std::vector<std::size_t> lanes_;  ///< by unit; units of a lane take turns in its rooms
  std::vector<Room> rooms_;
  std::uint64_t version_ = 0;
  std::vector<std::uint64_t> versions_;  ///< by unit: in which it was written last
  std::uint64_t gathered_bytes_ = 0;

  const model::StepProgram* program_ = nullptr;
  std::size_t position_ = 0;             ///< of the last acquisition in the program
  std::vector<model::UnitId> upcoming_;  ///< what is read next, the current unit first

  Arena::ElementSlot kept_{};  ///< this rank's part of the copies of Reshard::within
  std::vector<std::size_t> kept_offsets_;
  std::vector<std::uint64_t> kept_versions_;
  std::vector<std::size_t> counts_, offsets_;
};

}  // namespace ballast::fsdp

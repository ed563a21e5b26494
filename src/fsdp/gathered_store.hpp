#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "comm/transfer.hpp"
#include "fsdp/fetch_plan.hpp"
#include "fsdp/groups.hpp"
#include "fsdp/kept_parts.hpp"
#include "fsdp/shard_layout.hpp"
#include "fsdp/shared_rooms.hpp"
#include "fsdp/transport.hpp"
#include "fsdp/unit_rooms.hpp"
#include "fsdp/unit_store.hpp"
#include "tensor/arena.hpp"

namespace ballast::fsdp {

/// Units gathered from the ranks that hold their shards. The shards of a unit laid side by side are
/// the gathered unit, so bytes go straight to where the model reads.
///
/// The rooms for gathered units lie in the host's region (Transport::hosts): each byte enters a
/// host once, brought in by one of its ranks as the FetchPlan says, and its ranks read one copy.
/// With Transport::messages every rank has rooms of its own and brings in everything.
///
/// A gather is a *fill* of a room. Fills are numbered; all ranks start them in the same order,
/// early if the step program says which units come next. A rank sends its part when it starts a
/// fill. It writes to the room once all of its host have started the fill too, since they no longer
/// read what was there, and reads the room once all of them have all their parts.
class GatheredStore final : public UnitStore {
 public:
  /// Needs memory of the rank for its shard, and rooms. `hosts`: of all ranks of the job, as runs
  /// of neighbors that share rooms; each rank by itself where none does.
  GatheredStore(const ShardLayout& layout, const Policy& policy, const Neighborhoods& hosts,
                Transport transport, Needs& needs);
  void connect(Groups& groups, HostRegion* region) override;

  [[nodiscard]] Elements held(model::UnitId unit) const override;
  ConstElements acquire(model::UnitId unit) override;
  void release(model::UnitId unit) override;
  void begin_version() override { rooms_.begin_version(); }
  void publish(model::UnitId unit) override { rooms_.publish(unit); }
  void follow(const model::StepProgram& program) override { rooms_.follow(program); }
  [[nodiscard]] std::uint64_t gathered_bytes() const override { return gathered_bytes_; }

 private:
  enum class Stage { opened, filling, arrived };
  /// The last fill of a room.
  struct Fill {
    explicit Fill(comm::Communicator& comm) : transfer{comm} {}

    comm::Transfer transfer;
    std::uint32_t number = 0;
    Stage stage = Stage::arrived;
    bool from_kept = false;  ///< from the parts of kept copies, not from the shards
  };

  void start_fill(std::size_t room, model::UnitId unit);
  void fill_room(std::size_t room);
  void complete_front();
  void complete_through(std::uint32_t number);
  void advance_fills();
  void look_ahead();

  [[nodiscard]] bool is_kept(model::UnitId unit) const;
  [[nodiscard]] Elements part_of(const Fill& fill, model::UnitId unit) const;
  [[nodiscard]] const FetchPlan& plan_of(const Fill& fill) const;
  [[nodiscard]] GranuleRange range_of(const Fill& fill, model::UnitId unit,
                                      std::size_t member) const;

  const ShardLayout* layout_;
  std::size_t member_;   ///< this rank, counted within its group
  Neighborhoods hosts_;  ///< of the group's members
  FetchPlan plan_;
  const Arena* own_;
  Arena::ElementSlot weights_;
  SharedRooms shared_;
  UnitRooms rooms_;
  std::optional<KeptParts> kept_;  ///< of Reshard::within
  comm::Communicator* group_ = nullptr;

  std::vector<Fill> fills_;             ///< by room
  std::vector<std::size_t> under_way_;  ///< rooms, in the order of their fills
  std::uint32_t started_ = 0;           ///< fills
  std::uint64_t gathered_bytes_ = 0;
};

}  // namespace ballast::fsdp

#pragma once

#include <optional>
#include <vector>

#include "fsdp/host_region.hpp"
#include "fsdp/shard_layout.hpp"
#include "fsdp/transport.hpp"
#include "fsdp/unit_store.hpp"
#include "tensor/arena.hpp"

namespace ballast::fsdp {

/// Whole units that stay where they are: in this rank's own memory when it shares weights with no
/// one, or in the host's region, where the shards of a group lie side by side and so *are* the
/// gathered unit. A gather moves no bytes; it waits until every shard has its current version.
class ResidentStore final : public UnitStore {
 public:
  /// Needs memory for the whole model: of the rank, or in the region one copy for its group, whose
  /// ranks write their runs and wait for each other's.
  ResidentStore(const ShardLayout& layout, ElementType compute, Transport transport, Needs& needs);
  void connect(Groups&, HostRegion* region) override {
    if (published_) region_ = region;
  }

  [[nodiscard]] Elements held(model::UnitId unit) const override;
  ConstElements acquire(model::UnitId unit) override;
  void release(model::UnitId) override {}
  void begin_version() override { ++version_; }
  void publish(model::UnitId unit) override;
  void follow(const model::StepProgram&) override {}
  [[nodiscard]] std::uint64_t gathered_bytes() const override { return 0; }

 private:
  [[nodiscard]] Elements whole(model::UnitId unit) const;
  [[nodiscard]] std::uint32_t count(model::UnitId unit) const;

  const ShardLayout* layout_;
  const Arena* arena_;
  Arena::ElementSlot slot_;
  std::optional<Signal> published_;  ///< units whose weights a rank has written; in a region
  HostRegion* region_ = nullptr;
  std::uint32_t version_ = 0;
  std::vector<std::uint32_t> versions_;  ///< by unit: in which it was written last
};

}  // namespace ballast::fsdp

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/profile.hpp"
#include "fsdp/accumulators.hpp"
#include "fsdp/gradient_exchange.hpp"
#include "fsdp/groups.hpp"
#include "fsdp/host_region.hpp"
#include "fsdp/needs.hpp"
#include "fsdp/shard_layout.hpp"
#include "fsdp/transport.hpp"
#include "fsdp/unit_store.hpp"
#include "model/parameter_source.hpp"
#include "model/step_program.hpp"
#include "tensor/arena.hpp"

namespace ballast::fsdp {

/// The parameters of a model, sharded over ranks: a UnitStore and a GradientExchange, chosen by the
/// transports. Each rank keeps its shard of the weights and of the gradient accumulators; a unit is
/// gathered when it is acquired. All ranks must acquire the same units in the same order: the order
/// of the model's step program.
class ShardedParameters final : public model::ParameterSource {
 public:
  /// Adds to `needs` what it takes. `reusable`: memory in needs.own that gradients may take (see
  /// Accumulators), only in steps of one wave. `profile` records waits and transfers; may be null.
  /// `team`: the threads that share the sums of gradients; null: the caller alone.
  ShardedParameters(const ShardLayout& layout, const Policy& policy, const Transports& transports,
                    Needs& needs, std::span<const Arena::Extent> reusable = {},
                    Profile* profile = nullptr, Team* team = nullptr);
  ~ShardedParameters() override;

  /// Connects the parameters to the other ranks, once `needs` are provided. `region`: null unless
  /// they have a part of one.
  void connect(Groups& groups, HostRegion* region);

  [[nodiscard]] const ShardLayout& layout() const { return *layout_; }

  /// This rank's run of a unit in the type that the model computes with. To be written between
  /// `begin_version` and `publish` only.
  [[nodiscard]] Elements held(model::UnitId unit) const { return store_->held(unit); }
  /// New weights follow. Every rank calls it at the same point, after an exchange that no rank
  /// enters before its last read of the old ones.
  void begin_version() { store_->begin_version(); }
  /// This rank's run of `unit` is written; in ascending order, each unit at most once a version,
  /// the same units on every rank. What is not published stays as it was.
  void publish(model::UnitId unit) { store_->publish(unit); }
  void publish_all();
  /// Publishes every unit that trains.
  void publish_trained();

  /// This rank's gradient, folded over the leaves so far.
  [[nodiscard]] const Accumulators& accumulators() const { return *accumulators_; }

  void begin_step() { exchange_->begin_step(); }
  /// The leaf that the next micro-batches belong to.
  void begin_wave(const Wave& wave) { wave_ = wave; }
  /// Micro-batch `index` (from 0) of the leaf follows, by `program`.
  void begin_micro_batch(std::size_t index, const model::StepProgram& program);
  /// Takes part in a micro-batch that this rank has no work in: gathers and reductions only.
  void walk(const model::StepProgram& program);
  /// To be called after all waves of a step: when it returns, the accumulators hold the gradient of
  /// the global batch over everything that this rank holds.
  void finish_gradients();

  ConstElements acquire(model::UnitId unit) override;
  void release(model::UnitId unit) override;
  model::GradientRoom gradient_room(model::UnitId unit) override;
  void gradient_ready(model::UnitId unit) override;

  /// The first gradient of the step that was not finite, if any.
  [[nodiscard]] const std::optional<Offender>& offender() const { return exchange_->offender(); }
  /// Bytes of other ranks' weights and gradients that were brought or read here so far.
  [[nodiscard]] std::uint64_t gathered_bytes() const { return store_->gathered_bytes(); }
  [[nodiscard]] std::uint64_t reduced_bytes() const;

 private:
  void walk_depth(std::span<const model::Visit> visits);
  void gather_from_replicas(model::UnitId unit);

  const ShardLayout* layout_;
  Policy policy_;
  Profile* profile_;
  std::unique_ptr<UnitStore> store_;
  std::unique_ptr<GradientExchange> exchange_;
  std::optional<Accumulators> accumulators_;
  Groups* groups_ = nullptr;

  Wave wave_;
  std::size_t micro_batch_ = 0;
  std::uint64_t replicated_bytes_ = 0;
  std::vector<std::size_t> counts_, offsets_;
};

}  // namespace ballast::fsdp

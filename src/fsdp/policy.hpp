#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/words.hpp"
#include "fsdp/wave.hpp"
#include "tensor/element.hpp"

namespace ballast::fsdp {

/// What is spread over the ranks.
///   full: weights, gradients and optimizer states; gathered anew for each pass (ZeRO-3, FSDP);
///   grad_op: the same, but a unit once gathered stays until the weights change (ZeRO-2);
///   hybrid: full within groups of `shard_group` ranks, replicated over the groups (HSDP);
///   none: every rank holds everything (DDP).
enum class Sharding { full, grad_op, hybrid, none };

constexpr auto words_of(EnumTag<Sharding>) {
  return std::to_array<Word<Sharding>>({{Sharding::full, "full"},
                                        {Sharding::grad_op, "grad_op"},
                                        {Sharding::hybrid, "hybrid"},
                                        {Sharding::none, "none"}});
}
[[nodiscard]] constexpr std::string_view name_of(Sharding sharding) { return word_of(sharding); }

/// What moves bytes between ranks. automatic: the region where it can serve, messages elsewhere.
///   region: one piece of memory that the ranks of a host share: a gather moves no bytes;
///   mpi: messages.
enum class Backend { automatic, region, mpi };

constexpr auto words_of(EnumTag<Backend>) {
  return std::to_array<Word<Backend>>(
      {{Backend::automatic, "auto"}, {Backend::region, "region"}, {Backend::mpi, "mpi"}});
}
[[nodiscard]] constexpr std::string_view name_of(Backend backend) { return word_of(backend); }

/// What happens to a gathered unit after its forward. Only messages gather anything.
class Reshard {
 public:
  /// Its memory goes to the next unit; the backward gathers it again from all ranks that shard it.
  static Reshard always() { return Reshard{0}; }
  /// It stays until the weights change.
  static Reshard never() { return Reshard{1}; }
  /// Groups of `ranks` neighbors together keep one copy; later gathers stay within the group.
  static Reshard within(std::size_t ranks) { return Reshard{ranks}; }
  /// "true", "false" or a number of ranks above 1; nothing for any other text.
  static std::optional<Reshard> parse(const std::string& text);

  [[nodiscard]] bool keeps_all() const { return ranks_ == 1; }
  /// The size of the groups that keep a copy; 0 when none does.
  [[nodiscard]] std::size_t group() const { return ranks_ > 1 ? ranks_ : 0; }
  [[nodiscard]] std::string name() const;

 private:
  explicit Reshard(std::size_t ranks) : ranks_{ranks} {}

  std::size_t ranks_;
};

/// How parameters are sharded and moved: the choices of a user.
struct Policy {
  Sharding sharding = Sharding::full;
  std::optional<std::size_t> shard_group = std::nullopt;
  Backend backend = Backend::automatic;
  Reshard reshard = Reshard::always();
  std::size_t prefetch_units = 0;  ///< units whose gather starts before they are needed
  ElementType compute = ElementType::fp32;
  std::size_t leaf_micro_batches = 1;
  std::size_t leaves = 1;  ///< of a step
  LeafGroups leaf_groups = {};
};

}  // namespace ballast::fsdp

#include "base/error.hpp"
#include "base/option_row.hpp"
#include "base/team.hpp"
#include "train/settings/section_keys.hpp"

namespace ballast::train {

namespace {

std::optional<model::RecomputePolicy> parse_recompute(const std::string& text) {
  try {
    return model::RecomputePolicy::parse(text);
  } catch (const Error&) {  // the row says what it takes
    return std::nullopt;
  }
}

}  // namespace

Keys parallel_keys(ParallelConfig& c) {
  using option_row::whole, option_row::whole_or_auto, option_row::number, option_row::choice,
      option_row::parsed, option_row::own_to_a_rank;
  // None of them changes a bit of the training.
  return {
      {choice("parallel.sharding", c.sharding,
              "what is spread over the ranks: everything; everything, but gathered once a step; "
              "everything within groups; nothing"),
       Role::free()},
      {whole("parallel.shard_group", c.shard_group, {1, UINT32_MAX}, "none",
             "hybrid: ranks that share one copy of the weights; divides the ranks"),
       Role::free()},
      {choice("parallel.backend", c.backend,
              "how weights and gradients move: through memory that the ranks of a host share, or "
              "by messages; auto: shared memory where it can serve"),
       Role::free()},
      {parsed("parallel.reshard_after_forward", "true|false|N", c.reshard_after_forward,
              fsdp::Reshard::parse, "true, false or a number of ranks above 1",
              "messages: free a gathered unit after its forward; N: groups of N ranks keep a copy"),
       Role::free()},
      {whole_or_auto("parallel.prefetch_units", c.prefetch_units, {0, 1u << 16},
                     "messages: how many units are gathered ahead; auto: 1 over several hosts"),
       Role::free()},
      {parsed("parallel.wrap", "block|blocks:N|size:N|whole", c.wrap, model::Wrap::parse,
              "block, blocks:N, size:N or whole",
              "what is gathered together: a block, N blocks, blocks of at least N parameters, all"),
       Role::free()},
      {parsed("parallel.recompute", "none|full|selective[:PART]|every:N[:PART]", c.recompute,
              parse_recompute,
              "none, full, selective, selective:attention, selective:feed_forward, every:N, "
              "every:N:attention or every:N:feed_forward, N from 1",
              "activations computed again in the backward to save memory, of all or of every Nth "
              "block; PART: attention or feed_forward"),
       Role::free()},
      {own_to_a_rank(whole_or_auto("parallel.threads", c.threads, {1, Team::kMostWorkers},
                                   "threads per rank; auto: the cores that it has for itself")),
       Role::free()},
      {own_to_a_rank(
           whole_or_auto("parallel.helpers", c.helpers, {0, Team::kMostHelpers},
                         "more threads per rank, which run on processors that waiting ranks leave "
                         "idle; auto: 2 for ranks of one thread, 1 if a host has two such ranks")),
       Role::free()},
      {number("parallel.timeout_s", c.timeout_s, kAboveZero,
              "seconds that a rank waits for its peers before it names them and ends"),
       Role::free()},
  };
}

}  // namespace ballast::train

#include <cmath>
#include <gtest/gtest.h>

#include "checkpoint/fixture.hpp"

namespace ballast::checkpoint {
namespace {

Hash128 hash_at(int ranks, const std::function<void(Shards&)>& change = {},
                const TrainingState& state = request_for("", 9).state) {
  std::optional<Hash128> hash;
  on_ranks(ranks, [&](auto& part) {
    const model::ParameterTable table{odd_config()};
    Shards shards{table, part};
    shards.fill(1);
    if (change) change(shards);
    hash = state_hash(part, shards.layout(), shards.tensors(), state);
    const auto everywhere = part.gather_texts(hash->hex(), {"hashes"});
    for (const auto& text : everywhere) EXPECT_EQ(text, hash->hex());
  });
  return Hash128::parse(test::world().broadcast_text(hash ? hash->hex() : "", 0, {"hash"}));
}

/// The definition, written down once more: granule hashes in canonical order, then the state.
Hash128 hash_by_definition() {
  std::vector<std::uint64_t> words;
  const model::ParameterTable table{odd_config()};
  for (std::size_t i = 0; i < table.parameters().size(); ++i) {
    const std::size_t numel = table.parameters()[i].numel;
    for (std::size_t first = 0; first < numel; first += 1024) {
      std::vector<float> values;
      for (const Part part : {Part::master, Part::moment1, Part::moment2}) {
        for (std::size_t e = first; e < std::min(first + 1024, numel); ++e) {
          values.push_back(test_value(1, part, i, e));
        }
      }
      const Hash128 hash = hash_of(std::span<const float>{values});
      words.insert(words.end(), {hash.high, hash.low});
    }
  }
  const TrainingState state = request_for("", 9).state;
  words.insert(words.end(), {state.step, state.optimizer_steps, state.seed, state.cursor,
                             state.tokens, std::bit_cast<std::uint64_t>(state.loss_scaler.scale)});
  return hash_of(std::span<const std::uint64_t>{words});
}

TEST(StateHash, FollowsItsDefinition) {
  EXPECT_EQ(hash_at(1), hash_by_definition());
  // A build that computes another one cannot read the checkpoints of the builds before it.
  EXPECT_EQ(hash_at(1).hex(), "4169afcaaf9dcf857153967ff0e1d62c");
}

TEST(StateHash, IsTheSameAtAnyRankCount) {
  const Hash128 one = hash_at(1);
  for (int ranks = 2; ranks <= test::world().size(); ++ranks)
    EXPECT_EQ(hash_at(ranks), one) << ranks;
}

TEST(StateHash, ChangesWithAnyBitOfAnyPart) {
  const int ranks = test::world().size();
  const Hash128 before = hash_at(ranks);
  for (const Part part : kParts) {
    const Hash128 after = hash_at(ranks, [&](Shards& shards) {
      // The last element of the model: on the last rank, in a granule that is partly padding.
      if (shards.layout().rank() + 1 != shards.layout().ranks()) return;
      const auto& segment = shards.layout().held_segments().back();
      float& value = shards.values(part)[segment.local_offset + segment.logical_numel - 1];
      value = std::bit_cast<float>(std::bit_cast<std::uint32_t>(value) ^ 1u);
    });
    EXPECT_NE(after, before) << static_cast<int>(part);
  }
}

TEST(StateHash, DoesNotSeePadding) {
  const int ranks = test::world().size();
  const Hash128 changed = hash_at(ranks, [](Shards& shards) {
    for (const auto& segment : shards.layout().held_segments()) {
      for (std::size_t i = segment.logical_numel; i < segment.granules.numel(); ++i) {
        shards.values(Part::master)[segment.local_offset + i] = 5.0f;
      }
    }
  });
  EXPECT_EQ(changed, hash_at(ranks));
}

TEST(StateHash, ChangesWithEveryFieldOfTheState) {
  const TrainingState state = request_for("", 9).state;
  const Hash128 before = hash_at(1, {}, state);
  std::vector<TrainingState> others(6, state);
  ++others[0].step;
  ++others[1].optimizer_steps;
  ++others[2].seed;
  ++others[3].cursor;
  ++others[4].tokens;
  others[5].loss_scaler.scale = std::nextafter(state.loss_scaler.scale, 1.0);
  for (const auto& other : others) EXPECT_NE(hash_at(1, {}, other), before);
}

TEST(StateHash, ShardsOfAnotherLayoutAreADefect) {
  auto& world = test::world();
  const model::ParameterTable table{odd_config()};
  Shards shards{table, world};
  ShardTensors tensors = shards.tensors();
  tensors.moment2 = tensors.moment2.first(tensors.moment2.size() - 1);
  try {
    (void)state_hash(world, shards.layout(), tensors, {});
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::internal);
  }
}

}  // namespace
}  // namespace ballast::checkpoint

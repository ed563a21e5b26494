#include "jobs/modes.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace ballast::test {

namespace {

/// The largest come first: a greedy cover is smaller that way.
enum Factor : std::size_t {
  kRanks,
  kMoves,
  kRecompute,
  kSharding,
  kPrecision,
  kWrap,
  kTraining,
  kFactors
};

/// What moves the bytes and how: one factor, since only messages gather and so reshard or prefetch.
struct Move {
  std::string backend, reshard, prefetch;
};
const std::vector<Move> kMoveLevels{
    {"mpi", "true", "0"},  {"region", "true", "0"}, {"mpi", "true", "1"},    {"mpi", "true", "3"},
    {"mpi", "false", "1"}, {"mpi", "2", "3"},       {"region", "false", "1"}};

const std::array<std::vector<std::string>, kFactors> kWords{{
    {"1", "2", "3", "4", "5", "7", "8"},
    {"mpi", "region", "mpi_ahead", "mpi_far_ahead", "mpi_kept", "mpi_kept_by_two", "region_kept"},
    {"none", "full", "every:2", "selective:attention", "selective:feed_forward"},
    {"full", "grad_op", "hybrid", "none"},
    {"fp32", "bf16", "fp16"},
    {"block", "blocks:2", "whole"},
    {"odd", "leaves_of_two", "frozen", "foreign"},
}};
constexpr std::array<const char*, kFactors> kKeys{
    "", "", "parallel.recompute", "parallel.sharding", "precision.param", "parallel.wrap", ""};

const std::string& word_of(Level level) { return kWords[level.factor][level.level]; }

/// Trainings of odd sizes: numbers of leaves that leave the last wave short, and the first one too
/// on eight ranks. The schedule and the loss scale change as they go. One cuts units into what
/// trains and what is frozen, has frozen units below all that trains, and a whole one between; the
/// last one is of another architecture.
const std::array<Keys, 4> kTrainings{{
    {{"model.dim", "36"},
     {"model.layers", "3"},
     {"model.heads", "6"},
     {"model.kv_heads", "2"},
     {"model.ffn", "101"},
     {"model.qk_norm", "true"},
     {"data.micro_batch", "1"},
     {"data.global_batch", "9"}},
    {{"model.dim", "72"},
     {"model.layers", "5"},
     {"model.heads", "4"},
     {"model.kv_heads", "4"},
     {"model.ffn", "75"},
     {"model.norm", "layer"},
     {"model.tie_embeddings", "true"},
     {"data.micro_batch", "1"},
     {"data.leaf_micro_batches", "2"},
     {"data.global_batch", "14"},
     {"precision.residual", "bf16"}},
    {{"model.dim", "36"},
     {"model.layers", "5"},
     {"model.heads", "6"},
     {"model.kv_heads", "3"},
     {"model.ffn", "101"},
     {"optim.freeze", "embedding,block.0.*,block.3.*,*.wq,*.ffn_norm,head"},
     {"data.micro_batch", "1"},
     {"data.leaf_micro_batches", "2"},
     {"data.global_batch", "10"}},
    {{"model.dim", "36"},
     {"model.layers", "4"},
     {"model.heads", "6"},
     {"model.kv_heads", "2"},
     {"model.head_dim", "8"},
     {"model.ffn", "77"},
     {"model.activation", "geglu"},
     {"model.parallel_sublayers", "true"},
     {"model.qkv_bias", "true"},
     {"model.attention_output_bias", "true"},
     {"model.ffn_bias", "true"},
     {"model.position", "learned"},
     {"model.context", "64"},
     {"model.window", "9"},
     {"model.window_all_every", "3"},
     {"model.tie_embeddings", "true"},
     {"data.micro_batch", "1"},
     {"data.global_batch", "9"}},
}};

}  // namespace

int Mode::ranks() const { return std::stoi(word_of({kRanks, row_[kRanks]})); }

/// Half of the ranks where that is a number, all of 2, 3 and 7, and each of 5 for itself.
int Mode::shard_group() const {
  if (ranks() > 2 && ranks() % 2 == 0) return ranks() / 2;
  return ranks() == 5 ? 1 : ranks();
}

std::string Mode::name() const {
  std::string name = "np";
  for (std::size_t factor = 0; factor < kFactors; ++factor) {
    if (factor == kRecompute) name += "recompute_";
    if (factor == kSharding) name += "sharding_";
    name += word_of({factor, row_[factor]}) + "_";
  }
  name.pop_back();
  std::ranges::replace(name, ':', '_');
  return name;
}

std::string Mode::training() const {
  return word_of({kPrecision, row_[kPrecision]}) + "_" + word_of({kTraining, row_[kTraining]});
}

Mode Mode::reference() const {
  Row row(kFactors, 0);
  row[kPrecision] = row_[kPrecision];
  row[kTraining] = row_[kTraining];
  return Mode{row};
}

Keys Mode::keys(const std::string& data, const std::string& run_dir) const {
  Keys keys = small_training(data, run_dir);
  for (const auto& [key, value] : kTrainings[row_[kTraining]]) keys[key] = value;
  for (std::size_t factor = 0; factor < kFactors; ++factor) {
    if (*kKeys[factor] != '\0') keys[kKeys[factor]] = word_of({factor, row_[factor]});
  }
  const Move& move = kMoveLevels[row_[kMoves]];
  keys["parallel.backend"] = move.backend;
  keys["parallel.reshard_after_forward"] = move.reshard;
  keys["parallel.prefetch_units"] = move.prefetch;
  keys["run.steps"] = "5";
  // In fp16 the first steps overflow, on leaves of their own, and are skipped.
  keys["precision.initial_scale"] = "8388608";
  keys["precision.hysteresis"] = "1";
  keys["precision.growth_interval"] = "2";
  if (word_of({kSharding, row_[kSharding]}) == "hybrid") {
    keys["parallel.shard_group"] = std::to_string(shard_group());
  }
  return keys;
}

std::vector<std::string> Mode::log_entries() const {
  const std::string& sharding = word_of({kSharding, row_[kSharding]});
  const Move& move = kMoveLevels[row_[kMoves]];
  std::vector<std::string> entries{
      "mode: sharding " + sharding,
      ranks() == 1 ? "backend none (one rank)" : "backend " + move.backend,
      "wrap " + word_of({kWrap, row_[kWrap]}),
      "recompute " + word_of({kRecompute, row_[kRecompute]}),
  };
  const bool groups = sharding == "hybrid" && shard_group() > 1 && shard_group() < ranks();
  if (groups) entries.push_back(fmt::format("(2 groups of {} ranks)", shard_group()));
  if (ranks() == 1) return entries;
  const bool gathers = sharding != "none" && (sharding != "hybrid" || shard_group() > 1);
  if (!gathers) {
    entries.push_back("nothing to gather");
  } else if (move.backend == "region") {
    entries.push_back("one copy of the weights a host");
  } else {
    const bool keeps = sharding == "grad_op";
    entries.push_back("reshard_after_forward " + (keeps ? "false" : move.reshard));
    entries.push_back("prefetch_units " + move.prefetch);
  }
  return entries;
}

std::vector<std::size_t> mode_levels() {
  std::vector<std::size_t> levels;
  for (const auto& words : kWords) levels.push_back(words.size());
  return levels;
}

bool modes_may_meet(Level x, Level y) {
  if (x.factor > y.factor) std::swap(x, y);
  const auto keeps_by_two = [](Level level) {
    return level.factor == kMoves && kMoveLevels[level.level].reshard == "2";
  };
  if (x.factor == kRanks && keeps_by_two(y)) return std::stoi(word_of(x)) % 2 == 0;
  if (y.factor == kSharding && keeps_by_two(x)) {
    return word_of(y) == "full" || word_of(y) == "hybrid";
  }
  return true;
}

std::vector<Mode> cover_of_modes() {
  const PairwiseCover cover{mode_levels(), modes_may_meet};
  return {cover.rows().begin(), cover.rows().end()};
}

std::vector<Mode> matrix_of_modes() {
  const auto levels = mode_levels();
  std::vector<Mode> modes;
  std::size_t turn = 0;
  const auto add = [&](Row row, const std::string& backend) {
    ++turn;
    row[kWrap] = turn % levels[kWrap];
    row[kTraining] = turn / levels[kWrap] % levels[kTraining];
    // The next of the moves of this backend that may be here.
    const auto fits = [&](std::size_t move) {
      return kMoveLevels[move].backend == backend &&
             modes_may_meet({kRanks, row[kRanks]}, {kMoves, move}) &&
             modes_may_meet({kMoves, move}, {kSharding, row[kSharding]});
    };
    row[kMoves] = turn % levels[kMoves];
    while (!fits(row[kMoves])) row[kMoves] = (row[kMoves] + 1) % levels[kMoves];
    modes.emplace_back(row);
  };
  constexpr std::array kBackends{"mpi", "region"};
  const std::size_t all = levels[kRanks] * levels[kRecompute] * levels[kSharding] *
                          levels[kPrecision] * kBackends.size();
  for (std::size_t i = 0; i < all; ++i) {
    Row row(kFactors, 0);
    std::size_t rest = i / kBackends.size();
    for (const Factor factor : {kRanks, kRecompute, kSharding, kPrecision}) {
      row[factor] = rest % levels[factor];
      rest /= levels[factor];
    }
    add(row, kBackends[i % kBackends.size()]);
  }
  return modes;
}

std::size_t number_of_references() { return kWords[kPrecision].size() * kTrainings.size(); }

}  // namespace ballast::test

#include "train/offline/input_squares.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/checked_cast.hpp"
#include "base/error.hpp"
#include "kernels/convert.hpp"

namespace ballast::train {

namespace {

/// The row of the tensor that gives the logits.
std::size_t head_of(const model::ParameterTable& table) {
  const auto rows = table.parameters();
  const auto head = std::ranges::find(rows, "head", &model::ParameterInfo::name);
  const auto found =
      head == rows.end() ? std::ranges::find(rows, "embedding", &model::ParameterInfo::name) : head;
  return checked_cast<std::size_t>(found - rows.begin());
}

/// A vector for each rank.
std::vector<std::size_t> for_each_rank(std::size_t ranks, auto&& value_of) {
  std::vector<std::size_t> values(ranks);
  for (std::size_t rank = 0; rank < ranks; ++rank) values[rank] = value_of(rank);
  return values;
}

/// From the sums of one tensor's columns; empty where all are 0.
std::vector<float> means_of(const std::string& name, std::span<const double> sums, double tokens) {
  constexpr double kLeastShare = 0x1p-20;
  const auto lost = std::ranges::find_if(sums, [](double sum) { return !std::isfinite(sum); });
  if (lost != sums.end()) {
    throw data_error(
        "what column {} of '{}' is multiplied with is not always a finite number: this model has "
        "no importance to measure; export it without --calibrate",
        lost - sums.begin(), name);
  }
  const double mean =
      std::accumulate(sums.begin(), sums.end(), 0.0) / static_cast<double>(sums.size());
  if (mean == 0.0) return {};
  std::vector<float> means;
  for (const double sum : sums) {
    means.push_back(static_cast<float>(std::max(sum, kLeastShare * mean) / tokens));
  }
  return means;
}

}  // namespace

InputSquares::InputSquares(const comm::Communicator& world, const model::ParameterTable& table)
    : table_{&table},
      ranks_{checked_cast<std::size_t>(world.size())},
      rank_{checked_cast<std::size_t>(world.rank())},
      head_{head_of(table)},
      first_{0} {
  for (std::size_t row = 0; row < table.parameters().size(); ++row) {
    const model::ParameterInfo& tensor = table.parameters()[row];
    const bool is_multiplied =
        row == head_ || (table.layer_of(row).has_value() && model::is_linear(tensor.role));
    first_.push_back(first_.back() + (is_multiplied ? tensor.shape.back() : 0));
  }
  batch_.resize(columns());
  sums_.resize(share(rank_ + 1) - share(rank_));
  received_.resize(ranks_ * sums_.size());
}

void InputSquares::add(std::size_t row, const ConstElements& input) {
  const auto sums = std::span{batch_}.subspan(first_[row], first_[row + 1] - first_[row]);
  token_.resize(sums.size());
  for (std::size_t done = 0; done < input.size(); done += sums.size()) {
    kernels::widen(input.subspan(done, sums.size()), token_);
    for (std::size_t column = 0; column < sums.size(); ++column) {
      const auto value = static_cast<double>(token_[column]);
      sums[column] += value * value;
    }
  }
}

void InputSquares::before_linear(std::size_t layer, model::TensorSlot tensor,
                                 const ConstElements& input) {
  const auto rows = table_->parameters_of_layer(layer);
  const auto found = std::ranges::find_if(rows, [&](const model::ParameterInfo& row) {
    return row.slot.sublayer == tensor.sublayer && row.slot.tensor == tensor.tensor;
  });
  if (found == rows.end()) throw internal_error("block {} has no such linear layer", layer);
  add(checked_cast<std::size_t>(&*found - table_->parameters().data()), input);
}

void InputSquares::before_head(const ConstElements& input) { add(head_, input); }

void InputSquares::add_wave(comm::Communicator& world, std::size_t batches) {
  const bool has_batch = rank_ < batches;
  const auto bytes = [](std::size_t doubles) { return doubles * sizeof(double); };
  const auto sent = for_each_rank(ranks_, [&](std::size_t rank) {
    return has_batch ? bytes(share(rank + 1) - share(rank)) : 0;
  });
  const auto sent_from =
      for_each_rank(ranks_, [&](std::size_t rank) { return bytes(share(rank)); });
  const auto received = for_each_rank(
      ranks_, [&](std::size_t rank) { return rank < batches ? bytes(sums_.size()) : 0; });
  const auto received_at =
      for_each_rank(ranks_, [&](std::size_t rank) { return bytes(rank * sums_.size()); });
  world.all_to_all(std::as_bytes(std::span{batch_}), {sent, sent_from},
                   std::as_writable_bytes(std::span{received_}), {received, received_at},
                   {"squares of inputs"});
  for (std::size_t batch = 0; batch < batches; ++batch) {
    const auto of_batch = std::span{received_}.subspan(batch * sums_.size(), sums_.size());
    for (std::size_t column = 0; column < sums_.size(); ++column) sums_[column] += of_batch[column];
  }
  std::ranges::fill(batch_, 0.0);
}

formats::GgufImportance InputSquares::means(comm::Communicator& world, std::uint64_t tokens) const {
  std::vector<double> all(columns());
  const auto bytes = [](std::size_t doubles) { return doubles * sizeof(double); };
  const auto counts =
      for_each_rank(ranks_, [&](std::size_t rank) { return bytes(share(rank + 1) - share(rank)); });
  const auto places = for_each_rank(ranks_, [&](std::size_t rank) { return bytes(share(rank)); });
  world.all_gather(std::as_bytes(std::span{sums_}), std::as_writable_bytes(std::span{all}), counts,
                   places, {"squares of inputs"});
  formats::GgufImportance importance;
  for (std::size_t row = 0; row + 1 < first_.size(); ++row) {
    const std::string& name = table_->parameters()[row].name;
    const auto sums = std::span{all}.subspan(first_[row], first_[row + 1] - first_[row]);
    if (sums.empty()) continue;
    if (auto means = means_of(name, sums, static_cast<double>(tokens)); !means.empty()) {
      importance.emplace(name, std::move(means));
    }
  }
  return importance;
}

}  // namespace ballast::train

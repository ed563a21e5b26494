#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "comm/communicator.hpp"
#include "formats/gguf/gguf_plan.hpp"
#include "model/linear_observer.hpp"
#include "model/parameters.hpp"
#include "tensor/element.hpp"

namespace ballast::train {

/// Adds up the squares of what each column of a model's matrices is multiplied with, over batches
/// that are dealt to the ranks wave by wave. In fp64: over the tokens of a batch in their order,
/// then over the batches in theirs, so the sums have the same bits at any number of ranks. Each
/// rank adds up a share of the columns over batches.
class InputSquares final : public model::LinearObserver {
 public:
  /// `table` must outlive this; it is that of the model that is observed.
  InputSquares(const comm::Communicator& world, const model::ParameterTable& table);

  void before_linear(std::size_t layer, model::TensorSlot tensor,
                     const ConstElements& input) override;
  void before_head(const ConstElements& input) override;

  /// The first `batches` ranks have each seen a batch, in rank order: adds these to the sums.
  /// Collective.
  void add_wave(comm::Communicator& world, std::size_t batches);

  /// The mean square of every column's input over `tokens` tokens, by the name of the tensor; of a
  /// tied model the head's input is that of the embedding. A column whose input is (nearly) always
  /// 0 gets 2^-20 of its tensor's mean, since what has no importance at all may be stored as
  /// anything; a tensor whose input is always 0 is left out. A data Error that names tensor and
  /// column where an input was not finite. The same on every rank. Collective.
  [[nodiscard]] formats::GgufImportance means(comm::Communicator& world,
                                              std::uint64_t tokens) const;

 private:
  [[nodiscard]] std::size_t columns() const { return first_.back(); }
  /// Where the share of a rank begins.
  [[nodiscard]] std::size_t share(std::size_t rank) const { return rank * columns() / ranks_; }
  void add(std::size_t row, const ConstElements& input);

  const model::ParameterTable* table_;
  std::size_t ranks_;
  std::size_t rank_;
  std::size_t head_;                ///< row of the table
  std::vector<std::size_t> first_;  ///< by row: of its columns among all; and their number
  std::vector<double> batch_;       ///< [columns], of the batch under way
  std::vector<double> sums_;        ///< [this rank's share], of all batches
  std::vector<double> received_;    ///< [ranks, this rank's share]
  std::vector<float> token_;        ///< what one token gives to a matrix
};

}  // namespace ballast::train

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "kernels/gemm/gemm_factory.hpp"
#include "kernels/gemm/gemm_table.hpp"
#include "kernels/operations/cpu_operations.hpp"
#include "kernels/typed.hpp"
#include "model/loss_head.hpp"
#include "reference/variants.hpp"

namespace ballast::model {

/// A head with its arena.
class OwnedHead {
 public:
  OwnedHead(std::size_t vocabulary, BatchShape shape, const TransformerOptions& options)
      : operations_{*gemm_, options.precision.compute},
        head_{{.vocabulary = vocabulary}, shape, options, operations_, arena_} {
    arena_.commit();
  }

  const LossHead* operator->() const { return &head_; }
  [[nodiscard]] const Arena& arena() const { return arena_; }

 private:
  Arena arena_;
  std::unique_ptr<kernels::Gemm> gemm_ = kernels::make_gemm(kernels::GemmTable::shipped());
  kernels::CpuOperations operations_;
  LossHead head_;
};

/// What a head reads: random rows and weights, labels of which some are ignored, and weights of
/// both signs.
struct HeadCase {
  HeadCase(std::size_t rows, std::size_t vocabulary_, std::size_t dim_, ElementType type)
      : tokens{rows},
        vocabulary{vocabulary_},
        dim{dim_},
        hidden{random_values(1, rows * dim_), type},
        head{random_values(2, vocabulary_ * dim_), type},
        weights{random_values(3, rows)} {
    reference::RandomValues random{4};
    for (std::size_t t = 0; t < rows; ++t) {
      labels.push_back(t % 5 == 3 ? kernels::kIgnoreLabel : random.below(vocabulary));
    }
  }

  [[nodiscard]] HeadInput input() const { return {hidden.elements(), head.elements(), dim}; }
  [[nodiscard]] Batch batch() const {
    return {.shape = {1, tokens},
            .ids = {},
            .labels = labels,
            .segments = {},
            .positions = {},
            .weights = weights};
  }
  /// Tokens `first` to `first + count - 1` of it.
  [[nodiscard]] HeadInput input(std::size_t first, std::size_t count) const {
    return {hidden.elements().subspan(first * dim, count * dim), head.elements(), dim};
  }
  [[nodiscard]] Batch batch(std::size_t first, std::size_t count) const {
    Batch part = batch();
    part.shape = {1, count};
    part.labels = part.labels.subspan(first, count);
    part.weights = part.weights.subspan(first, count);
    return part;
  }

  /// [tokens, vocabulary], in double.
  [[nodiscard]] std::vector<double> logits() const {
    return reference::linear_forward(dim, vocabulary, as_double(hidden.values()),
                                     as_double(head.values()));
  }

  std::size_t tokens, vocabulary, dim;
  kernels::Typed hidden, head;
  std::vector<float> weights;
  std::vector<std::int32_t> labels;
};

}  // namespace ballast::model

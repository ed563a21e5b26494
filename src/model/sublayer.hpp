#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "kernels/operations/operations.hpp"
#include "model/batch.hpp"
#include "model/linear_observer.hpp"
#include "model/observer.hpp"
#include "model/sublayer_spec.hpp"
#include "tensor/element.hpp"

namespace ballast::model {

/// What one call of a sublayer works with. Arrays are in the order of its lists.
struct SublayerPass {
  const Batch& batch;
  std::size_t layer;                  ///< which block's
  std::size_t sublayer;               ///< which of the block's
  LinearObserver* linears = nullptr;  ///< sees what linear layers read; may be null
  std::array<ConstElements, kMostTensors> weights{};
  std::array<Elements, kMostKept> kept{};  ///< read and partly overwritten by the backward
  std::array<Elements, kMostRooms> rooms{};
  Elements operand;            ///< [tokens, operand_width] of a product, compute type
  Elements gradient_operand;   ///< [tokens, dim or gradient_width], rounded; empty in fp32
  std::span<float> gain;       ///< a gain or bias, widened; empty in fp32
  std::span<float> gain_sums;  ///< kernels::gain_scratch_numel of any norm or bias, backward
};

/// Gradients of a sublayer's tensors, in the order of its list; an empty one is not wanted, since
/// its tensor does not train.
struct TensorGradients {
  std::array<std::span<float>, kMostTensors> values{};
  kernels::Store store;  ///< whether they replace what is there
};

/// Where the gradient of a sublayer's input goes.
struct InputGradient {
  std::span<float> values;  ///< [tokens, dim]
  kernels::Store store;     ///< of the first product that contributes; the others add
};

/// Runs one layer's sublayer token by token, with a cache of earlier tokens.
class SublayerDecoder {
 public:
  virtual ~SublayerDecoder() = default;
  /// input, out: [dim]. position: of the token; the cache from there on is dropped.
  virtual void advance(std::size_t position, std::span<const ConstElements> weights,
                       std::span<const float> input, std::span<float> out) = 0;
};

/// The mathematics of one kind of sublayer, from its input to what is added to the residual stream.
/// Holds no parameters and no activations, so one serves every layer.
class Sublayer {
 public:
  virtual ~Sublayer() = default;

  [[nodiscard]] virtual const SublayerSpec& spec() const = 0;
  /// Scratch that it needs besides operands, for so many workers.
  [[nodiscard]] virtual std::vector<RoomSpec> rooms(std::size_t workers) const = 0;

  /// input: [tokens, dim] in the compute type; out: [tokens, dim]. Returns the signals of
  /// attention, if it is one.
  virtual std::optional<AttentionSignals> forward(const SublayerPass& pass,
                                                  const ConstElements& input,
                                                  std::span<float> out) const = 0;
  /// Computes what the forward kept once more, bit for bit, but not its result.
  virtual void recompute(const SublayerPass& pass, const ConstElements& input) const = 0;

  /// The first half of the backward, all that does not read the input. dout: the gradient of `out`
  /// in the compute type.
  virtual void backward_of_output(const SublayerPass& pass, const ConstElements& dout,
                                  const TensorGradients& gradients) const = 0;
  /// The second half. `dout` is no longer valid, since dinput may take its memory; `input` may lie
  /// in pass.operand, which must not be written.
  virtual void backward_of_input(const SublayerPass& pass, const ConstElements& input,
                                 const InputGradient& dinput,
                                 const TensorGradients& gradients) const = 0;
};

}  // namespace ballast::model

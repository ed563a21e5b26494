#pragma once

#include <array>
#include <cstddef>
#include <string_view>
#include <vector>

#include "kernels/norm.hpp"
#include "tensor/element.hpp"

namespace ballast::model {

/// What stands between two additions to the residual stream. A new kind is an enumerator, its name,
/// a file with its list and its mathematics (see attention_layer.hpp), and a row in sublayers.cpp.
enum class SublayerKind { attention, feed_forward };
inline constexpr std::array kSublayerKinds{SublayerKind::attention, SublayerKind::feed_forward};

/// As parallel.recompute names it.
[[nodiscard]] constexpr std::string_view name_of(SublayerKind kind) {
  switch (kind) {
    case SublayerKind::attention:
      return "attention";
    case SublayerKind::feed_forward:
      return "feed_forward";
  }
  return "?";
}

enum class Decay { no, yes };
enum class InitKind { normal, ones, zeros };

/// What a tensor does. All but gains and biases are linear layers, y = x wᵀ with w: [out, in].
enum class TensorRole { gain, bias, linear, query, key };
[[nodiscard]] constexpr bool is_linear(TensorRole role) {
  return role != TensorRole::gain && role != TensorRole::bias;
}

/// One tensor of a sublayer: its row in the parameter table, in the count of arithmetic, in
/// profiles.
struct TensorSpec {
  std::string_view name;           ///< within its block: "wq"
  std::string_view label;          ///< in profiles: "q"
  std::vector<std::size_t> shape;  ///< a size of 0: the configuration has no such tensor
  TensorRole role;
  double init_std = 0.0;  ///< for linear layers; gains start at 1, biases at 0
};

/// A tensor that the forward leaves to the backward: [tokens, width], empty where width is 0.
struct KeptSpec {
  enum class Type { compute, fp32 };
  std::string_view name;
  std::size_t width;
  Type type = Type::compute;
};

/// Scratch of a sublayer.
struct RoomSpec {
  enum class Use { always, backward };  ///< by which pass
  std::string_view name;
  std::size_t numel;
  ElementType type;
  Use use;
};

/// What a sublayer consists of, each thing once: parameter table, views, activations,
/// recomputation, arithmetic and profile names walk these lists. A list's order is that of the
/// sublayer's own enumerators, with which it finds its tensors again.
struct SublayerSpec {
  SublayerKind kind;
  std::string_view norm;         ///< name of the gain of the norm before it, or of the stream
  std::string_view output_norm;  ///< of the norm of its result
  std::vector<TensorSpec> tensors;
  std::vector<KeptSpec> kept;
  std::size_t operand_width = 0;   ///< of the widest operand of its own products
  std::size_t gradient_width = 0;  ///< of the widest gradient that it rounds for them
  std::size_t norms_a_token = 0;   ///< that it has within itself, the most at once
  std::size_t attention_dim = 0;   ///< attention: 12 · tokens seen · this FLOP a token besides
};

/// The most that a sublayer may list, and a block may have: views are arrays of these sizes.
inline constexpr std::size_t kMostTensors = 10;
inline constexpr std::size_t kMostKept = 12;
inline constexpr std::size_t kMostRooms = 6;
inline constexpr std::size_t kMostSublayers = 4;

}  // namespace ballast::model

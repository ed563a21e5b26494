#pragma once

#include <string_view>

#include "kernels/activation.hpp"

// What can be chosen of a model, and the words for it.
namespace ballast::model {

/// Where a block normalizes.
enum class NormPlacement {
  pre,     ///< what each sublayer reads
  post,    ///< the stream, after each addition to it
  output,  ///< what each sublayer adds to the stream (OLMo 2; OLMo Team 2024)
  both,    ///< what each sublayer reads, and what it adds (Gemma Team 2024, "Gemma 2")
  none,
};

[[nodiscard]] constexpr std::string_view name_of(NormPlacement placement) {
  switch (placement) {
    case NormPlacement::pre:
      return "pre";
    case NormPlacement::post:
      return "post";
    case NormPlacement::output:
      return "output";
    case NormPlacement::both:
      return "both";
    case NormPlacement::none:
      return "none";
  }
  return "?";
}

/// How a token knows its place.
enum class Position {
  rope,        ///< queries and keys turn with it (Su et al. 2021)
  alibi,       ///< logits fall with the distance (Press et al. 2022)
  learned,     ///< a trained vector for each is added to the embedding
  sinusoidal,  ///< a fixed vector for each is (Vaswani et al. 2017)
  none,        ///< from the causal mask alone (Haviv et al. 2022)
};

[[nodiscard]] constexpr std::string_view name_of(Position position) {
  switch (position) {
    case Position::rope:
      return "rope";
    case Position::alibi:
      return "alibi";
    case Position::learned:
      return "learned";
    case Position::sinusoidal:
      return "sinusoidal";
    case Position::none:
      return "none";
  }
  return "?";
}

/// What a feed-forward layer is: an activation, of one product or, gated, of one that another is
/// multiplied with (Shazeer 2020).
enum class FeedForward {
  swiglu,
  geglu,
  geglu_tanh,
  reglu,
  silu,
  gelu,
  gelu_tanh,
  relu,
  relu2,
};

[[nodiscard]] constexpr std::string_view name_of(FeedForward kind) {
  switch (kind) {
    case FeedForward::swiglu:
      return "swiglu";
    case FeedForward::geglu:
      return "geglu";
    case FeedForward::geglu_tanh:
      return "geglu_tanh";
    case FeedForward::reglu:
      return "reglu";
    case FeedForward::silu:
      return "silu";
    case FeedForward::gelu:
      return "gelu";
    case FeedForward::gelu_tanh:
      return "gelu_tanh";
    case FeedForward::relu:
      return "relu";
    case FeedForward::relu2:
      return "relu2";
  }
  return "?";
}

[[nodiscard]] constexpr bool is_gated(FeedForward kind) {
  switch (kind) {
    case FeedForward::swiglu:
    case FeedForward::geglu:
    case FeedForward::geglu_tanh:
    case FeedForward::reglu:
      return true;
    default:
      return false;
  }
}

[[nodiscard]] constexpr kernels::Activation activation_of(FeedForward kind) {
  using kernels::Activation;
  switch (kind) {
    case FeedForward::swiglu:
    case FeedForward::silu:
      return Activation::silu;
    case FeedForward::geglu:
    case FeedForward::gelu:
      return Activation::gelu;
    case FeedForward::geglu_tanh:
    case FeedForward::gelu_tanh:
      return Activation::gelu_tanh;
    case FeedForward::reglu:
    case FeedForward::relu:
      return Activation::relu;
    case FeedForward::relu2:
      return Activation::relu2;
  }
  return Activation::silu;
}

}  // namespace ballast::model

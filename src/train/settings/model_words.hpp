#pragma once

#include "base/words.hpp"
#include "kernels/norm.hpp"
#include "model/model_config.hpp"
#include "tensor/element.hpp"

// Word tables for enumerations of lower folders, made from their constexpr name_of.

namespace ballast {

constexpr auto words_of(EnumTag<ElementType>) {
  return words_by_name({ElementType::fp32, ElementType::bf16, ElementType::fp16});
}

constexpr auto words_of(EnumTag<kernels::NormKind>) {
  using kernels::NormKind;
  return words_by_name({NormKind::rms, NormKind::layer});
}

constexpr auto words_of(EnumTag<model::NormPlacement>) {
  using model::NormPlacement;
  return words_by_name({NormPlacement::pre, NormPlacement::post, NormPlacement::output,
                        NormPlacement::both, NormPlacement::none});
}

constexpr auto words_of(EnumTag<model::Position>) {
  using model::Position;
  return words_by_name(
      {Position::rope, Position::alibi, Position::learned, Position::sinusoidal, Position::none});
}

constexpr auto words_of(EnumTag<kernels::RopeScaling>) {
  using kernels::RopeScaling;
  return words_by_name({RopeScaling::none, RopeScaling::linear, RopeScaling::dynamic,
                        RopeScaling::llama3, RopeScaling::yarn});
}

constexpr auto words_of(EnumTag<model::FeedForward>) {
  using model::FeedForward;
  return words_by_name({FeedForward::swiglu, FeedForward::geglu, FeedForward::geglu_tanh,
                        FeedForward::reglu, FeedForward::silu, FeedForward::gelu,
                        FeedForward::gelu_tanh, FeedForward::relu, FeedForward::relu2});
}

}  // namespace ballast

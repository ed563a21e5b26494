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
  return words_by_name({NormPlacement::pre, NormPlacement::post, NormPlacement::none});
}

}  // namespace ballast

#pragma once

#include <span>

#include "base/team.hpp"
#include "tensor/element.hpp"

namespace ballast::kernels {

/// logits = cap · tanh(logits / cap), in place: they stay within ±cap (Gemma Team 2024, "Gemma 2",
/// section 2). cap > 0.
void softcap_forward(float cap, std::span<float> logits, Team* team = nullptr);

/// From the gradient of softcap_forward's result `capped` to that of what it was given, in place:
/// dlogits *= 1 − (capped / cap)². Equal sizes; dlogits of any type.
void softcap_backward(float cap, std::span<const float> capped, const Elements& dlogits,
                      Team* team = nullptr);

}  // namespace ballast::kernels

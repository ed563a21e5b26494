#include <fmt/format.h>

#include "base/option_row.hpp"
#include "train/settings/model_words.hpp"
#include "train/settings/section_keys.hpp"

namespace ballast::train {

using option_row::whole, option_row::number, option_row::choice, option_row::fixed,
    option_row::parsed;

Keys precision_keys(PrecisionConfig& c) {
  return {
      {choice("precision.param", c.param, "type of weights and activations in matrix products"),
       Role::kept(Absence::means("fp32"))},
      {fixed("precision.reduce", "fp32", "type in which gradients are added up"), Role::free()},
      {fixed("precision.master", "fp32", "type of the weights that the optimizer updates"),
       Role::free()},
      {fixed("precision.moments", "fp32", "AdamW's moments"), Role::free()},
      {choice("precision.residual", c.residual, {ElementType::fp32, ElementType::bf16},
              "the residual stream between blocks"),
       Role::kept(Absence::means("fp32"))},
      {choice(
           "precision.group_sum", c.group_sum,
           "type that the sum of gradients of a group of leaves is rounded to (data.leaf_group); "
           "bf16: half the bytes between hosts"),
       Role::free()},
      {choice("precision.loss_scaling", c.loss_scaling,
              "multiply the loss so that small gradients survive; auto: dynamic for fp16"),
       Role::free()},
      {number("precision.initial_scale", c.scaler.initial, kAboveZero,
              "the loss scale to start with, a power of two"),
       Role::free()},
      {whole("precision.growth_interval", c.scaler.growth_interval, {1, UINT32_MAX},
             "steps without overflow after which the loss scale doubles"),
       Role::free()},
      {whole("precision.hysteresis", c.scaler.hysteresis, {1, UINT32_MAX},
             "overflows before the loss scale is halved"),
       Role::free()},
  };
}

Keys optim_keys(OptimConfig& c) {
  return {
      {number("optim.lr", c.lr, kZeroOrMore, "learning rate at its peak"), Role::free()},
      {number("optim.beta1", c.adamw.beta1, kBelowOne, "decay of AdamW's first moment"),
       Role::free()},
      {number("optim.beta2", c.adamw.beta2, kBelowOne, "decay of AdamW's second moment"),
       Role::free()},
      {number("optim.epsilon", c.adamw.epsilon, kAboveZero, "added to AdamW's denominator"),
       Role::free()},
      {number("optim.weight_decay", c.adamw.weight_decay, kZeroOrMore,
              "decoupled weight decay; norms are left out"),
       Role::free()},
      {number("optim.clip", c.clip, kZeroOrMore, "largest global gradient norm; 0: no clipping"),
       Role::free()},
      {number("optim.z_loss", c.z_loss, kZeroOrMore,
              "factor of (ln Z)^2, added to each token's loss so that logits do not drift; Z: the "
              "softmax's denominator; 1e-4 is common; 0: none"),
       Role::same(Absence::means("0"))},
      {parsed("optim.freeze", "none|PATTERN[,PATTERN...]", c.freeze, model::Freeze::parse,
              "none, or names of tensors with * for any text",
              "tensors that do not train, such as embedding or block.*.attention.*"),
       Role::same(Absence::means("none"))},
  };
}

Keys schedule_keys(ScheduleConfig& c) {
  return {
      {choice("schedule.kind", c.kind, "course of the learning rate; wsd: warm-up, stable, decay"),
       Role::free()},
      {whole("schedule.warmup", c.warmup, kEvery,
             fmt::format("{}% of schedule.steps", kDefaultWarmupPercent),
             "steps of linear warm-up; may exceed the run"),
       Role::free()},
      {whole("schedule.steps", c.steps, kSteps, "run.steps", "length of the schedule"),
       Role::free()},
      {number("schedule.min_lr", c.min_lr, kZeroOrMore, "learning rate at the end"), Role::free()},
      {number("schedule.decay_fraction", c.decay_fraction, kShare,
              "wsd: the last part of the schedule, in which the rate falls"),
       Role::free()},
  };
}

}  // namespace ballast::train

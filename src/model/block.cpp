#include "model/block.hpp"

#include "model/sublayers.hpp"

namespace ballast::model {

using kernels::Store;

Block::Block(const ModelConfig& config, BatchShape shape, ElementType compute,
             const kernels::Operations& operations)
    : config_{config}, shape_{shape}, operations_{&operations} {
  for (const SublayerKind kind : config.sublayers_of(0)) {
    sublayers_.push_back(make_sublayer(kind, config, shape, compute, operations));
  }
}

Block::Place Block::place_of(std::size_t index, const BlockPass& pass) const {
  const SublayerActivations& saved = pass.saved[index];
  const BlockScratch& scratch = pass.scratch;
  return {
      .sublayer = sublayers_[index].get(),
      .stream = index == 0 || is_parallel() ? pass.residual : pass.saved[index - 1].stream,
      .input = is_pre() ? scratch.operand.first(shape_.tokens() * config_.dim) : Elements{},
      .result = saved.result,
      .output_statistics = saved.output_statistics,
      .output_gain = pass.weights[index].output_gain,
      .sum = saved.sum,
      .statistics = saved.statistics,
      .gain = pass.weights[index].gain,
      .rounded = scratch.gradient_operand,
      .pass = {.batch = pass.batch,
               .layer = pass.layer,
               .sublayer = index,
               .linears = pass.linears,
               .weights = pass.weights[index].own,
               .kept = saved.own,
               .rooms = scratch.rooms[index],
               .operand = scratch.operand,
               .gradient_operand = scratch.sublayer_gradient,
               .gain = scratch.gain,
               .gain_sums = scratch.gain_sums},
  };
}

AttentionSignals Block::forward(const BlockPass& pass, const Elements& out) const {
  return run(pass, out, true);
}

/// All sublayers; the last one's result only where it is wanted.
AttentionSignals Block::run(const BlockPass& pass, const Elements& out, bool wants_out) const {
  AttentionSignals shown{};
  const auto result = pass.scratch.sublayer;
  for (std::size_t i = 0; i < sublayers_.size(); ++i) {
    const Place place = place_of(i, pass);
    // Otherwise the one before has passed it on.
    if (i == 0 || is_parallel()) enter(place);
    const bool is_last = i + 1 == sublayers_.size();
    if (is_last && !wants_out) {
      place.sublayer->recompute(place.pass, input_of(place));
      break;
    }
    const auto signals = place.sublayer->forward(place.pass, input_of(place), result);
    if (signals) shown = *signals;
    normalize_result(place, result);
    if (is_parallel()) {
      if (wants_out) add_up(i, place, result, out);
    } else if (is_last) {
      leave(place, result, out);
    } else {
      pass_on(place, result, place_of(i + 1, pass));
    }
  }
  return shown;
}

/// Adds one of several parallel results: the first to the stream, the others to what there is.
void Block::add_up(std::size_t index, const Place& place, std::span<const float> result,
                   const Elements& out) const {
  operations_->add(index == 0 ? ConstElements{place.stream} : ConstElements{out}, result, out);
}

void Block::recompute(Recompute what, const BlockPass& pass, const Elements& out) const {
  if (what.is_none()) return;
  if (what.is_full()) {
    // Only a norm behind the last sublayer asks for its output.
    run(pass, out, needs_results());
    return;
  }
  for (std::size_t i = 0; i < sublayers_.size(); ++i) {
    const Place place = place_of(i, pass);
    if (!what.drops(place.sublayer->spec().kind)) continue;
    enter(place);
    place.sublayer->recompute(place.pass, input_of(place));
  }
}

void Block::backward(const BlockPass& pass, std::span<float> gradient,
                     const BlockGradients& gradients, Store store) const {
  if (!is_parallel()) {
    for (std::size_t i = sublayers_.size(); i-- > 0;) {
      backward_in_turn(i, pass, gradient, {gradient, Store::add}, gradients, store);
    }
    return;
  }
  // All of them read the gradient as it came, so what they add to it is kept apart.
  operations_->clear(pass.scratch.branches);
  for (std::size_t i = sublayers_.size(); i-- > 0;) {
    backward_in_turn(i, pass, gradient, {pass.scratch.branches, Store::add}, gradients, store);
  }
  operations_->add(ConstElements{gradient}, pass.scratch.branches, Elements{gradient});
  const Elements& rounded = pass.scratch.gradient_operand;
  if (!rounded.empty()) operations_->convert(ConstElements{gradient}, rounded);
}

/// One sublayer's backward. `stream`: where the gradient of what it reads goes.
void Block::backward_in_turn(std::size_t index, const BlockPass& pass, std::span<float> gradient,
                             const InputGradient& stream, const BlockGradients& gradients,
                             Store store) const {
  const Place place = place_of(index, pass);
  const auto& own = gradients[index];
  const kernels::GainGradient dgain{own.gain, store, pass.scratch.gain_sums};
  leave_backward(place, pass.scratch.sublayer, gradient, dgain,
                 {own.output_gain, store, pass.scratch.gain_sums});
  sublayer_backward(place, pass.scratch.sublayer, gradient, stream, {own.own, store});
  enter_backward(place, pass.scratch.sublayer, stream, dgain);
}

/// Normalizes the stream for a sublayer that wants it so.
void Block::enter(const Place& place) const {
  if (!is_pre()) return;
  operations_->norm_forward(config_.norm_rule(), norm_dims(), place.stream, gain_of(place),
                            place.input, place.statistics.floats());
}

/// What a sublayer's products read: its normalized input, or the stream itself.
ConstElements Block::input_of(const Place& place) const {
  return is_pre() ? place.input : operations_->rounded(place.stream, place.pass.operand);
}

/// The same in a backward: nobody keeps the normalized input, since one pass over the stream, which
/// its norm's backward reads anyway, gives it again.
ConstElements Block::input_again(const Place& place) const {
  enter(place);
  return input_of(place);
}

/// Normalizes what is to be added to the stream, in a model that does.
void Block::normalize_result(const Place& place, std::span<float> result) const {
  if (!config_.has_output_norms()) return;
  operations_->convert(ConstElements{result}, place.result);
  operations_->norm_forward(config_.norm_rule(), norm_dims(), place.result,
                            operations_->widened(place.output_gain, place.pass.gain),
                            Elements{result}, place.output_statistics.floats());
}

/// Adds the sublayer's result to the stream.
void Block::leave(const Place& place, std::span<const float> result, const Elements& out) const {
  if (!is_post()) return operations_->add(place.stream, result, out);
  operations_->norm_forward_of_sum(config_.norm_rule(), norm_dims(), place.stream, result,
                                   place.sum, gain_of(place), out, place.statistics.floats());
}

/// Leaves one sublayer and enters the next, in one pass over the stream where a norm lies between.
void Block::pass_on(const Place& place, std::span<const float> result, const Place& next) const {
  if (!is_pre()) return leave(place, result, next.stream);
  operations_->norm_forward_of_sum(config_.norm_rule(), norm_dims(), place.stream, result,
                                   next.stream, gain_of(next), next.input,
                                   next.statistics.floats());
}

/// From the gradient of the sublayer's result to that of its input. With a norm in front the latter
/// goes to `result` and passes through that norm on its way to the stream; without one it joins the
/// stream's, in `stream`, as it is.
void Block::sublayer_backward(const Place& place, std::span<float> result,
                              std::span<const float> gradient, const InputGradient& stream,
                              const TensorGradients& gradients) const {
  const Elements& rounded = place.rounded;
  const std::span<const float> whole = config_.has_output_norms() ? result : gradient;
  const ConstElements dout = rounded.empty() ? ConstElements{whole} : ConstElements{rounded};
  place.sublayer->backward_of_output(place.pass, dout, gradients);
  const InputGradient dinput = is_pre() ? InputGradient{result, Store::overwrite} : stream;
  place.sublayer->backward_of_input(place.pass, input_again(place), dinput, gradients);
}

/// Prepares the gradient for the sublayer's products: past the norm behind it, and rounded. That of
/// a result which is normalized by itself goes to `result`.
void Block::leave_backward(const Place& place, std::span<float> result, std::span<float> gradient,
                           const kernels::GainGradient& dgain,
                           const kernels::GainGradient& doutput_gain) const {
  if (config_.has_output_norms()) {
    operations_->norm_backward(config_.norm_rule(), norm_dims(), place.result,
                               operations_->widened(place.output_gain, place.pass.gain),
                               place.output_statistics.floats(), gradient, result, Store::overwrite,
                               doutput_gain, place.rounded);
    return;
  }
  // Behind a norm it was rounded with the gradient of the sublayer above; a parallel one has its
  // own gradients there now.
  if (is_pre() && !is_parallel()) return;
  const Elements& rounded = place.rounded;
  if (!is_post()) {
    if (!rounded.empty()) operations_->convert(ConstElements{gradient}, rounded);
    return;
  }
  operations_->norm_backward(config_.norm_rule(), norm_dims(), place.sum, gain_of(place),
                             place.statistics.floats(), gradient, gradient, Store::overwrite, dgain,
                             rounded);
}

void Block::enter_backward(const Place& place, std::span<const float> result,
                           const InputGradient& stream, const kernels::GainGradient& dgain) const {
  if (!is_pre()) return;
  operations_->norm_backward(config_.norm_rule(), norm_dims(), place.stream, gain_of(place),
                             place.statistics.floats(), result, stream.values, stream.store, dgain,
                             is_parallel() ? Elements{} : place.rounded);
}

}  // namespace ballast::model

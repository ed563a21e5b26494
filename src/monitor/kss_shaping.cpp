#include "monitor/kss_shaping.hpp"

#include <algorithm>
#include <numeric>
#include <type_traits>
#include <utility>

#include "base/narrow.hpp"
#include "base/philox.hpp"

namespace ballast::monitor {

KssShaping::KssShaping(SpectralProbe& probe, const SpectralShape& shape, const KssOptions& options)
    : probe_{&probe},
      options_{options},
      seed_{shape.seed},
      layers_{shape.layers},
      gradient_{probe.directions()},
      order_(shape.layers),
      solved_((shape.layers + 1) / 2, Solved{0, {}, KssOperator{probe.directions()}}),
      inside_(shape.capacity * probe.directions()) {}

/// The first draws of a shuffle (Fisher and Yates).
void KssShaping::begin(std::uint64_t step) {
  const Philox random{seed_, RandomPurpose::shaping, 0, narrow<std::uint32_t>(step)};
  std::iota(order_.begin(), order_.end(), std::size_t{0});
  for (std::size_t i = 0; i < solved_.size(); ++i) {
    const std::uint64_t left = layers_ - i;
    const std::uint64_t offset = (std::uint64_t{random(i)[0]} * left) >> 32;
    std::swap(order_[i], order_[i + offset]);
    solved_[i].block = order_[i];
  }
}

KssShaping::Solved* KssShaping::find(std::size_t block) {
  const auto found = std::ranges::find(solved_, block, &Solved::block);
  return found == solved_.end() ? nullptr : &*found;
}

void KssShaping::solved(std::size_t block, const SpectralSolver& solver,
                        const PairMoments& moments) {
  Solved* const drawn = find(block);
  if (drawn == nullptr) return;
  drawn->loss = gradient_.evaluate(solver, moments, options_, drawn->gradient);
}

void KssShaping::share(comm::Communicator& world) {
  static_assert(std::is_trivially_copyable_v<KssLoss>);
  for (Solved& drawn : solved_) {
    const int solver = SpectralProbe::solver_of(drawn.block, world);
    world.broadcast(std::as_writable_bytes(std::span{&drawn.loss, 1}), solver,
                    {"shaping", "losses"});
    if (!drawn.loss.has_gradient) continue;
    world.broadcast(std::as_writable_bytes(drawn.gradient.values()), solver,
                    {"shaping", "gradients"});
  }
}

KssShaping::Summary KssShaping::summary() const {
  Summary mean;
  const double share = 1.0 / static_cast<double>(solved_.size());
  for (const Solved& drawn : solved_) {
    mean.loss += share * drawn.loss.loss;
    mean.near_unit += share * drawn.loss.near_unit;
  }
  return mean;
}

bool KssShaping::differentiate(const ProbeRows& rows, std::size_t depth, std::span<float> out) {
  const bool has_y = add(find(depth - 1), Side::y, rows, kernels::Store::overwrite, out);
  const auto store = has_y ? kernels::Store::add : kernels::Store::overwrite;
  return add(find(depth), Side::x, rows, store, out) || has_y;
}

bool KssShaping::add(Solved* drawn, Side side, const ProbeRows& rows, kernels::Store store,
                     std::span<float> out) {
  if (drawn == nullptr || !drawn->loss.has_gradient) return false;
  const auto [x, y] = probe_->pairs(rows, drawn->block);
  const auto inside = std::span{inside_}.first(x.rows.rows * probe_->directions());
  if (side == Side::x) {
    gradient_.differentiate_x(drawn->gradient, x, y, inside);
  } else {
    gradient_.differentiate_y(drawn->gradient, x, inside);
  }
  const float share = 1.0f / static_cast<float>(solved_.size());
  for (float& value : inside) value *= share;
  probe_->lift(drawn->block, inside, out, store);
  return true;
}

}  // namespace ballast::monitor

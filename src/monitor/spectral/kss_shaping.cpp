#include "monitor/spectral/kss_shaping.hpp"

#include <algorithm>
#include <numeric>
#include <type_traits>
#include <utility>

#include "base/checked_cast.hpp"
#include "base/philox.hpp"

namespace ballast::monitor {

namespace {

/// Seen in no more directions than the paper has.
SpectralShape narrowed(SpectralShape shape) {
  shape.rank = KssShaping::kDirections;
  shape.widest = KssShaping::kDirections;
  return shape;
}

}  // namespace

KssShaping::KssShaping(const SpectralShape& shape, std::size_t most_rows, const kernels::Gemm& gemm,
                       const KssOptions& options)
    : probe_{narrowed(shape), gemm},
      options_{options},
      seed_{shape.seed},
      gradient_{probe_.directions()},
      order_(shape.layers),
      drawn_((shape.layers + 1) / 2, Drawn{0, {}, KssOperator{probe_.directions()}}),
      inside_(most_rows * probe_.directions()) {}

void KssShaping::solve(comm::Communicator& world, std::uint64_t step, const ProbeRows& rows) {
  draw(step);
  probe_.measure(world, rows, spectra_, eigenvalues_, this);
  share(world);
}

/// The first draws of a shuffle (Fisher and Yates).
void KssShaping::draw(std::uint64_t step) {
  const Philox random{seed_, RandomPurpose::shaping, 0, checked_cast<std::uint32_t>(step)};
  std::iota(order_.begin(), order_.end(), std::size_t{0});
  for (std::size_t i = 0; i < drawn_.size(); ++i) {
    const std::uint64_t left = order_.size() - i;
    const std::uint64_t offset = (std::uint64_t{random(i)[0]} * left) >> 32;
    std::swap(order_[i], order_[i + offset]);
    drawn_[i].block = order_[i];
  }
}

KssShaping::Drawn* KssShaping::find(std::size_t block) {
  const auto found = std::ranges::find(drawn_, block, &Drawn::block);
  return found == drawn_.end() ? nullptr : &*found;
}

void KssShaping::solved(std::size_t block, const SpectralSolver& solver,
                        const PairMoments& moments) {
  Drawn* const drawn = find(block);
  if (drawn == nullptr) return;
  drawn->loss = gradient_.evaluate(solver, moments, options_, drawn->gradient);
}

void KssShaping::share(comm::Communicator& world) {
  static_assert(std::is_trivially_copyable_v<KssLoss>);
  for (Drawn& drawn : drawn_) {
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
  const double share = 1.0 / static_cast<double>(drawn_.size());
  for (const Drawn& drawn : drawn_) {
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

bool KssShaping::add(const Drawn* drawn, Side side, const ProbeRows& rows, kernels::Store store,
                     std::span<float> out) {
  if (drawn == nullptr || !drawn->loss.has_gradient) return false;
  const auto [x, y] = probe_.pairs(rows, drawn->block);
  const auto inside = std::span{inside_}.first(x.rows.rows * probe_.directions());
  if (side == Side::x) {
    gradient_.differentiate_x(drawn->gradient, x, y, inside);
  } else {
    gradient_.differentiate_y(drawn->gradient, x, inside);
  }
  const float share = 1.0f / static_cast<float>(drawn_.size());
  for (float& value : inside) value *= share;
  probe_.lift(drawn->block, inside, out, store);
  return true;
}

}  // namespace ballast::monitor

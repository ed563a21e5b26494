#include "monitor/spectral/spectral_probe.hpp"

#include <algorithm>

#include "base/checked_cast.hpp"
#include "monitor/spectral/job_exponents.hpp"

namespace ballast::monitor {

namespace {

bool is_wide(const SpectralShape& shape) { return shape.dim > shape.widest; }

/// Operations of one decomposition of each kind that a spectrum takes, over the cube of its order.
constexpr double kSolveFlop = 60.0;
constexpr double kSlowness = 4.0;

}  // namespace

double estimated_flop(const SpectralShape& shape) {
  const auto dim = static_cast<double>(shape.dim);
  const auto order = is_wide(shape) ? static_cast<double>(shape.rank) : dim;
  const double of_block =
      8.0 * static_cast<double>(shape.tokens) * dim * order + kSolveFlop * order * order * order;
  return kSlowness * static_cast<double>(shape.layers) * of_block;
}

SpectralProbe::SpectralProbe(const SpectralShape& shape, const kernels::Gemm& gemm)
    : layout_{shape.layers, is_wide(shape) ? shape.rank : shape.dim,
              is_wide(shape) ? Streams::paired : Streams::chained, shape.tokens},
      leaf_{layout_},
      solver_{layout_.dim()},
      moments_{layout_.dim()},
      no_shift_(layout_.dim()),
      streams_(layout_.streams(), {{nullptr, 0, 0, 0}, {}}),
      exponents_(layout_.exponents()),
      exponent_words_(layout_.exponents()),
      words_(layout_.words()),
      features_(shape.layers),
      eigenvalues_(shape.layers * layout_.dim()) {
  if (!is_wide(shape)) return;
  basis_.emplace(shape.layers, shape.dim, shape.rank, shape.tokens, shape.capacity, shape.seed,
                 gemm);
  projected_.resize(layout_.streams() * shape.capacity * layout_.dim());
}

void SpectralProbe::measure(comm::Communicator& world, const ProbeRows& rows,
                            std::vector<SpectralFeatures>& spectra,
                            std::vector<std::vector<std::complex<double>>>& eigenvalues,
                            SolvedBlocks* watcher) {
  if (basis_) {
    basis_->find(world, rows);
    project(rows);
  }
  sum_moments(world, rows);
  solve_own(world, watcher);
  share(world);
  spectra = features_;
  eigenvalues.resize(layout_.blocks());
  for (std::size_t block = 0; block < layout_.blocks(); ++block) {
    const auto own = eigenvalues_of(block).first(features_[block].rank);
    eigenvalues[block].assign(own.begin(), own.end());
  }
}

std::span<std::complex<double>> SpectralProbe::eigenvalues_of(std::size_t block) {
  return std::span{eigenvalues_}.subspan(block * layout_.dim(), layout_.dim());
}

/// Both sides of each block in that block's directions.
void SpectralProbe::project(const ProbeRows& rows) {
  const auto room = [&](std::size_t stream) {
    return std::span{projected_}.subspan(stream * rows.capacity() * layout_.dim(),
                                         rows.count() * layout_.dim());
  };
  for (std::size_t block = 0; block < layout_.blocks(); ++block) {
    basis_->project(rows, block, block, room(layout_.stream_of_x(block)));
    basis_->project(rows, block + 1, block, room(layout_.stream_of_y(block)));
  }
}

StreamRows SpectralProbe::stream_of(const ProbeRows& rows, std::size_t stream, std::size_t first,
                                    std::size_t end) const {
  const std::size_t dim = layout_.dim();
  const float* const start =
      basis_ ? projected_.data() + stream * rows.capacity() * dim : rows.at(stream).data();
  return {{start + first * dim, end - first, dim, dim}, no_shift_};
}

SpectralProbe::Pairs SpectralProbe::pairs(const ProbeRows& rows, std::size_t block) const {
  const std::size_t end = rows.count();
  const std::size_t first = end - rows.selected().size();
  return {stream_of(rows, layout_.stream_of_x(block), first, end),
          stream_of(rows, layout_.stream_of_y(block), first, end)};
}

void SpectralProbe::lift(std::size_t block, std::span<const float> in, std::span<float> out,
                         kernels::Store store) {
  if (basis_) return basis_->lift(block, in, out, store);
  const bool adds = store == kernels::Store::add;
  for (std::size_t i = 0; i < in.size(); ++i) out[i] = adds ? out[i] + in[i] : in[i];
}

int SpectralProbe::solver_of(std::size_t block, const comm::Communicator& world) {
  return checked_cast<int>(block % checked_cast<std::size_t>(world.size()));
}

/// The rows of one micro-batch, from `first` to `end`, as streams.
std::span<const StreamRows> SpectralProbe::streams_of(const ProbeRows& rows, std::size_t first,
                                                      std::size_t end) {
  for (std::size_t stream = 0; stream < streams_.size(); ++stream) {
    streams_[stream] = stream_of(rows, stream, first, end);
  }
  return streams_;
}

template <class Visit>
void SpectralProbe::for_each_micro_batch(const ProbeRows& rows, Visit&& visit) {
  std::size_t first = 0;
  for (const std::size_t end : rows.micro_batch_ends()) {
    visit(streams_of(rows, first, end));
    first = end;
  }
}

void SpectralProbe::sum_moments(comm::Communicator& world, const ProbeRows& rows) {
  std::ranges::fill(exponents_, kLowestExponent);
  for_each_micro_batch(rows, [&](auto leaf) { leaf_.raise_exponents(leaf, exponents_); });
  agree_on_exponents(world, exponents_, exponent_words_);
  std::ranges::fill(words_, 0);
  for_each_micro_batch(rows, [&](auto leaf) { leaf_.add(leaf, exponents_, words_); });
  world.sum(words_, {"probe", "moments"});
}

void SpectralProbe::solve_own(const comm::Communicator& world, SolvedBlocks* watcher) {
  const auto ranks = checked_cast<std::size_t>(world.size());
  for (auto block = checked_cast<std::size_t>(world.rank()); block < layout_.blocks();
       block += ranks) {
    read_moments(layout_, exponents_, words_, block, moments_);
    features_[block] = solver_.solve(moments_);
    std::ranges::copy(solver_.eigenvalues(), eigenvalues_of(block).begin());
    if (watcher != nullptr) watcher->solved(block, solver_, moments_);
  }
}

void SpectralProbe::share(comm::Communicator& world) {
  for (std::size_t block = 0; block < layout_.blocks(); ++block) {
    const int solver = solver_of(block, world);
    world.broadcast(std::as_writable_bytes(std::span{&features_[block], 1}), solver,
                    {"probe", "spectrum"});
    world.broadcast(std::as_writable_bytes(eigenvalues_of(block)), solver,
                    {"probe", "eigenvalues"});
  }
}

}  // namespace ballast::monitor

#include "monitor/spectral/principal_basis.hpp"

#include <algorithm>

#include "monitor/spectral/job_exponents.hpp"

namespace ballast::monitor {

PrincipalBasis::PrincipalBasis(std::size_t layers, std::size_t dim, std::size_t rank,
                               std::size_t tokens, std::size_t capacity, std::uint64_t seed,
                               const kernels::Gemm& gemm)
    : layout_{layers, dim, std::min(rank + kOversampling, dim), tokens},
      rank_{rank},
      seed_{seed},
      gemm_{&gemm},
      leaf_{layout_},
      finder_{dim, layout_.rank()},
      sketcher_{dim, layout_.rank()},
      projector_{dim, rank},
      sketch_{dim, layout_.rank()},
      no_shift_(dim),
      bases_(layers * dim * layout_.rank()),
      narrow_(dim * layout_.rank()),
      projected_(layers * capacity * layout_.rank()),
      exponents_(layout_.exponents()),
      exponent_words_(layout_.exponents()),
      words_(layout_.words()) {}

std::span<double> PrincipalBasis::basis(std::size_t layer) {
  const std::size_t size = layout_.dim() * layout_.rank();
  return std::span{bases_}.subspan(layer * size, size);
}

StreamRows PrincipalBasis::stream(const ProbeRows& rows, std::size_t depth, std::size_t first,
                                  std::size_t end) const {
  return {{rows.at(depth).data() + first * rows.dim(), end - first, rows.dim(), rows.dim()},
          no_shift_};
}

void PrincipalBasis::find(comm::Communicator& world, const ProbeRows& rows) {
  for (std::size_t layer = 0; layer < layout_.layers(); ++layer) {
    finder_.random_start(seed_, layer, basis(layer));
  }
  for (int round = 0; round < kRounds; ++round) improve(world, rows);
}

void PrincipalBasis::improve(comm::Communicator& world, const ProbeRows& rows) {
  const std::size_t rank = layout_.rank();
  const auto projected = [&](std::size_t layer, std::size_t first, std::size_t end) {
    return std::span<const float>{projected_}.subspan((layer * rows.capacity() + first) * rank,
                                                      (end - first) * rank);
  };
  const auto for_each_part = [&](auto&& visit) {
    for (std::size_t layer = 0; layer < layout_.layers(); ++layer) {
      std::size_t first = 0;
      for (const std::size_t end : rows.micro_batch_ends()) {
        visit(layer, stream(rows, layer, first, end), projected(layer, first, end));
        first = end;
      }
    }
  };
  for (std::size_t layer = 0; layer < layout_.layers(); ++layer) {
    narrow_basis(basis(layer), layout_.dim(), rank, narrow_);
    project_parts(sketcher_, rows, layer, narrow_,
                  std::span{projected_}.subspan(layer * rows.capacity() * rank));
  }
  std::ranges::fill(exponents_, kLowestExponent);
  for_each_part([&](std::size_t layer, const StreamRows& x, std::span<const float> p) {
    leaf_.raise_exponents(layer, x, p, exponents_);
  });
  agree_on_exponents(world, exponents_, exponent_words_);
  std::ranges::fill(words_, 0);
  for_each_part([&](std::size_t layer, const StreamRows& x, std::span<const float> p) {
    leaf_.add(layer, x, p, exponents_, words_);
  });
  world.sum(words_, {"probe", "sketches"});
  for (std::size_t layer = 0; layer < layout_.layers(); ++layer) {
    read_sketch(layout_, exponents_, words_, layer, sketch_);
    // A sketch that is of no use leaves the basis as it is: its moments then say why.
    (void)finder_.improve(sketch_, basis(layer));
  }
}

void PrincipalBasis::project(const ProbeRows& rows, std::size_t depth, std::size_t layer,
                             std::span<float> out) {
  const auto used = std::span{narrow_}.first(layout_.dim() * rank_);
  narrow_basis(basis(layer), layout_.dim(), rank_, used);
  project_parts(projector_, rows, depth, used, out);
}

void PrincipalBasis::lift(std::size_t layer, std::span<const float> in, std::span<float> out,
                          kernels::Store store) {
  const std::size_t dim = layout_.dim();
  const std::size_t rows = in.size() / rank_;
  const auto used = std::span{narrow_}.first(dim * rank_);
  narrow_basis(basis(layer), dim, rank_, used);
  gemm_->multiply(kernels::matrix(in.data(), rows, rank_), kernels::Transpose::no,
                  kernels::matrix<const float>(used.data(), dim, rank_), kernels::Transpose::yes,
                  kernels::matrix(out.data(), rows, dim), store);
}

/// Micro-batch by micro-batch: a library may sum in another order when there are more rows, and how
/// many a rank has depends on the number of ranks.
void PrincipalBasis::project_parts(Projector& projector, const ProbeRows& rows, std::size_t depth,
                                   std::span<const float> basis, std::span<float> out) {
  const std::size_t rank = basis.size() / layout_.dim();
  std::size_t first = 0;
  for (const std::size_t end : rows.micro_batch_ends()) {
    projector.project(*gemm_, stream(rows, depth, first, end), basis,
                      out.subspan(first * rank, (end - first) * rank));
    first = end;
  }
}

}  // namespace ballast::monitor

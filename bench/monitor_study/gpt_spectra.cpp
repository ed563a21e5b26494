// gpt_spectra DIM LAYERS INIT_STD: the spectra of a GPT-shaped network before its first step, one
// JSON object for each way to normalize. What tests hold the mathematics against, at any size.

#include <array>
#include <cstdlib>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <string>
#include <vector>

#include "monitor/initial_gpt.hpp"
#include "monitor/spectral/spectrum.hpp"

namespace {

using namespace ballast::monitor;
using test::Norms;

constexpr std::array<std::pair<Norms, const char*>, 6> kNorms{{{Norms::pre_layer, "pre_layer"},
                                                               {Norms::post_layer, "post_layer"},
                                                               {Norms::pre_rms, "pre_rms"},
                                                               {Norms::deep, "deep"},
                                                               {Norms::sub, "sub"},
                                                               {Norms::none, "none"}}};

double relative_update(const test::Matrix& x, const test::Matrix& y) {
  return test::frobenius(test::plus(y, -1.0, x)) / test::frobenius(x);
}

void print_spectra(const test::GptShape& shape, const char* name) {
  const auto stream = test::InitialGpt{shape}.residual_stream();
  SpectralSolver solver{shape.dim};
  std::vector<std::string> blocks;
  for (std::size_t block = 0; block < shape.layers; ++block) {
    const auto s = solver.solve(test::moments_of(stream[block], stream[block + 1]));
    blocks.push_back(fmt::format(
        R"({{"near_unit": {}, "expanding": {}, "contracting": {}, "radius": {}, "condition": {}, )"
        R"("nonlinearity": {}, "noise_radius": {}, "whitened_update": {}, "update": {}}})",
        s.masses.near_unit, s.masses.expanding, s.masses.contracting, s.radius, s.condition,
        s.nonlinearity, s.noise_radius, s.update,
        relative_update(stream[block], stream[block + 1])));
  }
  fmt::print("{{\"norms\": \"{}\", \"blocks\": [{}]}}\n", name, fmt::join(blocks, ", "));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    fmt::print(stderr, "usage: gpt_spectra DIM LAYERS INIT_STD\n");
    return 2;
  }
  for (const auto& [norms, name] : kNorms) {
    print_spectra({.norms = norms,
                   .dim = std::strtoull(argv[1], nullptr, 10),
                   .layers = std::strtoull(argv[2], nullptr, 10),
                   .init_std = std::strtod(argv[3], nullptr)},
                  name);
  }
}

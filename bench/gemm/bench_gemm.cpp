// Measures the ceiling of a training step's speed: its matrix products and nothing else, by each
// library, one thread, in the order and with the memory of a step, so that no operand is still in
// cache from the call before. `mpirun -n 2 bench_gemm` measures two cores at once.
#include <algorithm>
#include <array>
#include <cstdlib>
#include <ctime>
#include <fmt/core.h>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "kernels/gemm.hpp"
#include "tensor/arena.hpp"

namespace {

using namespace ballast;
using namespace ballast::kernels;

/// The bench model: 29.5 M parameters, 27.4 M of them in these products.
constexpr std::size_t kTokens = 2048;
constexpr std::size_t kLayers = 8;
constexpr std::size_t kDim = 512;
constexpr std::size_t kFfn = 1376;
constexpr std::size_t kVocabulary = 4096;

/// y = x wᵀ with w: [out, in].
struct Linear {
  std::size_t out;
  std::size_t in;
  [[nodiscard]] double flop() const { return 2.0 * static_cast<double>(kTokens * out * in); }
};

/// Attention's four, gate and up, down: the products of one block.
constexpr std::array<Linear, 7> kBlock{{{kDim, kDim},
                                        {kDim, kDim},
                                        {kDim, kDim},
                                        {kDim, kDim},
                                        {kFfn, kDim},
                                        {kFfn, kDim},
                                        {kDim, kFfn}}};
constexpr Linear kHead{kVocabulary, kDim};

std::vector<Linear> linears_of_a_step() {
  std::vector<Linear> linears;
  for (std::size_t layer = 0; layer < kLayers; ++layer) {
    linears.insert(linears.end(), kBlock.begin(), kBlock.end());
  }
  linears.push_back(kHead);
  return linears;
}

/// Operands of one linear layer, each in its own memory.
struct Operands {
  Linear linear;
  std::span<float> w;
  std::span<float> dw;
  std::span<float> x;
  std::span<float> dx;
  std::span<float> y;
  std::span<float> dy;
};

/// Everything a step's products read and write: several times any cache.
class StepMemory {
 public:
  StepMemory() {
    const auto linears = linears_of_a_step();
    std::vector<std::array<Arena::Slot<float>, 6>> slots;
    for (const Linear& linear : linears) {
      const auto reserve = [&](std::size_t numel) {
        return arena_.reserve<float>(MemoryClass::scratch, numel);
      };
      const std::size_t weights = linear.out * linear.in;
      const std::size_t in = kTokens * linear.in;
      const std::size_t out = kTokens * linear.out;
      slots.push_back({reserve(weights), reserve(weights), reserve(in), reserve(in), reserve(out),
                       reserve(out)});
    }
    arena_.commit();
    for (std::size_t i = 0; i < linears.size(); ++i) {
      const auto view = [&](std::size_t slot) { return arena_.view(slots[i][slot]); };
      layers_.push_back({linears[i], view(0), view(1), view(2), view(3), view(4), view(5)});
      const Operands& made = layers_.back();
      for (const auto values : {made.w, made.x, made.dy}) fill(values);
    }
  }

  [[nodiscard]] std::span<const Operands> layers() const { return layers_; }

 private:
  static void fill(std::span<float> values) {
    unsigned state = 1;
    for (float& value : values) {
      state = state * 1664525u + 1013904223u;
      value = static_cast<float>(state >> 8) * 0x1p-24f - 0.5f;
    }
  }

  Arena arena_;
  std::vector<Operands> layers_;
};

enum Kind { nt, nn, tn };
constexpr std::array<std::string_view, 3> kKindNames{"NT", "NN", "TN"};

/// Seconds of one step: on the wall clock by kind of product, and of the core in all.
struct Timing {
  std::array<double, 3> kinds{};
  double core = 0.0;

  [[nodiscard]] double wall() const { return kinds[nt] + kinds[nn] + kinds[tn]; }
};

double core_s() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

void multiply(const Gemm& gemm, const Operands& o, Kind kind) {
  const auto [out, in] = o.linear;
  const auto w = matrix<const float>(o.w.data(), out, in);
  const auto x = matrix<const float>(o.x.data(), kTokens, in);
  const auto dy = matrix<const float>(o.dy.data(), kTokens, out);
  switch (kind) {
    case nt:
      return gemm.multiply(x, Transpose::no, w, Transpose::yes, matrix(o.y.data(), kTokens, out),
                           Store::overwrite);
    case nn:
      return gemm.multiply(dy, Transpose::no, w, Transpose::no, matrix(o.dx.data(), kTokens, in),
                           Store::overwrite);
    case tn:
      return gemm.multiply(dy, Transpose::yes, x, Transpose::no, matrix(o.dw.data(), out, in),
                           Store::overwrite);
  }
}

/// Forward through all layers, then backward.
Timing measure_step(const Gemm& gemm, const StepMemory& memory) {
  Timing timing;
  const auto timed = [&](const Operands& operands, Kind kind) {
    const Stopwatch watch;
    multiply(gemm, operands, kind);
    timing.kinds[kind] += watch.elapsed_s();
  };
  const double core_before = core_s();
  const auto layers = memory.layers();
  for (const Operands& operands : layers) timed(operands, nt);
  for (std::size_t i = layers.size(); i-- > 0;) {
    timed(layers[i], tn);
    timed(layers[i], nn);
  }
  timing.core = core_s() - core_before;
  return timing;
}

/// GFLOP/s of each kind and of the whole step, the ceiling; and the share of a core that the
/// process got meanwhile: figures of a busy machine say nothing.
void report(const Gemm& gemm, std::vector<Timing> steps) {
  std::ranges::sort(steps, {}, &Timing::wall);
  double flop = 0.0;
  for (const Linear& linear : linears_of_a_step()) flop += linear.flop();
  const auto line = [&](std::string_view statistic, const Timing& timing) {
    fmt::print("  {:<6}", statistic);
    for (const Kind kind : {nt, nn, tn}) {
      fmt::print("  {} {:6.1f}", kKindNames[kind], flop / timing.kinds[kind] * 1e-9);
    }
    fmt::print("  all {:6.1f} GFLOP/s  {:7.1f} ms  core share {:4.2f}\n",
               3.0 * flop / timing.wall() * 1e-9, timing.wall() * 1e3, timing.core / timing.wall());
  };
  fmt::print("{}\n", gemm.description());
  line("best", steps.front());
  line("median", steps[steps.size() / 2]);
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t repeats = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 5;
  if (argc > 2 || repeats == 0) {
    fmt::print(stderr, "usage: bench_gemm [steps, 5 by default]\n");
    return 2;
  }
  std::vector<std::unique_ptr<Gemm>> gemms;
  gemms.push_back(make_gemm(GemmLibrary::openblas));
  if (default_gemm_library() == GemmLibrary::onednn) {
    gemms.push_back(make_gemm(GemmLibrary::onednn));
  }
  const StepMemory memory;
  std::vector<std::vector<Timing>> steps(gemms.size());
  for (const auto& gemm : gemms) measure_step(*gemm, memory);  // first touches, code generation
  // Steps of the libraries take turns: a machine that slows down slows both.
  for (std::size_t repeat = 0; repeat < repeats; ++repeat) {
    for (std::size_t i = 0; i < gemms.size(); ++i) {
      steps[i].push_back(measure_step(*gemms[i], memory));
    }
  }
  fmt::print("fp32 products of one step, {} tokens, one thread, {} steps\n", kTokens, repeats);
  for (std::size_t i = 0; i < gemms.size(); ++i) report(*gemms[i], steps[i]);
}

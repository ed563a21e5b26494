// Measures the ceiling of a training step's speed: its matrix products and nothing else, by each
// library, one thread, in the order and with the memory of a step, so that no operand is still in
// cache from the call before. `mpirun -n 2 bench_gemm` measures two cores at once, `bench_gemm 5
// bf16` products of bf16 operands.
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
#include "kernels/convert.hpp"
#include "kernels/gemm/gemm.hpp"
#include "kernels/gemm/gemm_factory.hpp"
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

/// One linear layer: what its products read, and in fp32 what they write, each in its own memory.
struct Operands {
  Linear linear;
  Elements w;
  Elements x;
  Elements dy;
  std::span<float> dw;
  std::span<float> dx;
  std::span<float> y;
};

/// Everything a step's products read and write: several times any cache.
class StepMemory {
 public:
  explicit StepMemory(ElementType type) {
    struct Slots {
      std::array<Arena::Slot<std::byte>, 3> read;
      std::array<Arena::Slot<float>, 3> written;
    };
    const auto linears = linears_of_a_step();
    std::vector<Slots> slots;
    for (const Linear& linear : linears) {
      const auto read = [&](std::size_t numel) {
        return arena_.reserve<std::byte>(MemoryClass::scratch, numel * size_of(type));
      };
      const auto written = [&](std::size_t numel) {
        return arena_.reserve<float>(MemoryClass::scratch, numel);
      };
      const std::size_t weights = linear.out * linear.in;
      const std::size_t in = kTokens * linear.in;
      const std::size_t out = kTokens * linear.out;
      slots.push_back(
          {{read(weights), read(in), read(out)}, {written(weights), written(in), written(out)}});
    }
    arena_.commit();
    for (std::size_t i = 0; i < linears.size(); ++i) {
      const auto read = [&](std::size_t slot) {
        const auto bytes = arena_.view(slots[i].read[slot]);
        return Elements{bytes.data(), bytes.size() / size_of(type), type};
      };
      const auto written = [&](std::size_t slot) { return arena_.view(slots[i].written[slot]); };
      layers_.push_back(
          {linears[i], read(0), read(1), read(2), written(0), written(1), written(2)});
      const Operands& made = layers_.back();
      for (const Elements& values : {made.w, made.x, made.dy}) fill(values);
    }
  }

  [[nodiscard]] std::span<const Operands> layers() const { return layers_; }

 private:
  static void fill(const Elements& values) {
    unsigned state = 1;
    for (std::size_t i = 0; i < values.size(); ++i) {
      state = state * 1664525u + 1013904223u;
      const float value = static_cast<float>(state >> 8) * 0x1p-24f - 0.5f;
      narrow({&value, 1}, values.subspan(i, 1));
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
  const Operand w{o.w, out, in};
  const Operand x{o.x, kTokens, in};
  const Operand dy{o.dy, kTokens, out};
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
  const std::string_view type_name = argc > 2 ? argv[2] : "fp32";
  if (argc > 3 || repeats == 0 || (type_name != "fp32" && type_name != "bf16")) {
    fmt::print(stderr, "usage: bench_gemm [steps, 5 by default] [fp32 or bf16, fp32 by default]\n");
    return 2;
  }
  const ElementType type = type_name == "bf16" ? ElementType::bf16 : ElementType::fp32;
  std::vector<std::unique_ptr<Gemm>> gemms;
  for (const GemmLibrary library : gemm_libraries()) gemms.push_back(make_gemm(library));
  std::erase_if(gemms, [&](const auto& gemm) { return !gemm->is_native(type); });
  if (gemms.empty()) {
    fmt::print(stderr, "no library multiplies {} on this processor\n", type_name);
    return 1;
  }
  const StepMemory memory{type};
  std::vector<std::vector<Timing>> steps(gemms.size());
  for (const auto& gemm : gemms) measure_step(*gemm, memory);  // first touches, code generation
  // Steps of the libraries take turns: a machine that slows down slows both.
  for (std::size_t repeat = 0; repeat < repeats; ++repeat) {
    for (std::size_t i = 0; i < gemms.size(); ++i) {
      steps[i].push_back(measure_step(*gemms[i], memory));
    }
  }
  fmt::print("{} products of one step, {} tokens, one thread, {} steps\n", type_name, kTokens,
             repeats);
  for (std::size_t i = 0; i < gemms.size(); ++i) report(*gemms[i], steps[i]);
}

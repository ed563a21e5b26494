// Measures every kernel but the products on one thread, at the bench model's shapes: bytes that it
// must read and write a second, and their share of what a triad, measured first in the same
// process, reads and writes. Run with --benchmark_enable_random_interleaving=true
// --benchmark_repetitions=9 on a machine that others use too.
#include <algorithm>
#include <benchmark/benchmark.h>
#include <fmt/core.h>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "kernels/adamw_update.hpp"
#include "kernels/attention/attention.hpp"
#include "kernels/convert.hpp"
#include "kernels/cross_entropy.hpp"
#include "kernels/elementwise.hpp"
#include "kernels/embedding.hpp"
#include "kernels/gated_activation.hpp"
#include "kernels/lanes/isa.hpp"
#include "kernels/norm.hpp"
#include "kernels/rope.hpp"

#include "rooms.hpp"

namespace {

using namespace ballast;
using namespace ballast::kernels;
using bench::Room;
using benchmark::Counter;
using benchmark::State;

constexpr std::size_t kTokens = 2048;
constexpr std::size_t kDim = 512;
constexpr std::size_t kHeads = 8;
constexpr std::size_t kFfn = 1376;
constexpr std::size_t kVocabulary = 4096;
constexpr std::size_t kLargeVocabulary = 131072;
constexpr std::size_t kParameters = std::size_t{1} << 22;
constexpr ElementType kFp32 = ElementType::fp32;

BALLAST_KERNEL void triad(const float* __restrict a, const float* __restrict b,
                          float* __restrict out, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) out[i] = a[i] + 3.0f * b[i];
}

/// AdamW's reads and writes with next to no arithmetic.
BALLAST_KERNEL void plain_loop(const float* __restrict gradient, float* __restrict weight,
                               float* __restrict moment1, float* __restrict moment2,
                               std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    moment1[i] += gradient[i];
    moment2[i] -= gradient[i];
    weight[i] += moment1[i];
  }
}

double triad_bytes_per_s() {
  constexpr std::size_t kCount = kTokens * kFfn;
  const Room a{kCount, kFp32};
  const Room b{kCount, kFp32};
  const Room out{kCount, kFp32};
  double least_s = 1e9;
  for (std::size_t turn = 0; turn < 8 * bench::kTurns; ++turn) {
    const Stopwatch watch;
    triad(a.floats(turn).data(), b.floats(turn).data(), out.floats(turn).data(), kCount);
    least_s = std::min(least_s, watch.elapsed_s());
  }
  return 3.0 * a.bytes() / least_s;
}

/// Registers benchmarks that report bytes a second and their share of the ceiling.
class Bench {
 public:
  explicit Bench(double ceiling) : ceiling_{ceiling} {}

  /// call(turn) is one call of the kernel, which reads and writes `bytes`.
  template <class Call>
  void add(const std::string& name, double bytes, Call call) const {
    benchmark::RegisterBenchmark(name.c_str(), [=, ceiling = ceiling_](State& state) {
      run(state, call);
      state.counters["B/s"] = rate(bytes);
      state.counters["share"] = rate(bytes / ceiling);
    })->Unit(benchmark::kMicrosecond);
  }

  /// The same for a kernel of `flop` floating-point operations.
  template <class Call>
  void add_products(const std::string& name, double flop, Call call) const {
    benchmark::RegisterBenchmark(name.c_str(), [=](State& state) {
      run(state, call);
      state.counters["flop/s"] = rate(flop);
    })->Unit(benchmark::kMicrosecond);
  }

 private:
  template <class Call>
  static void run(State& state, const Call& call) {
    std::size_t turn = 0;
    for ([[maybe_unused]] auto _ : state) call(turn++);
  }
  static Counter rate(double amount) { return Counter{amount, Counter::kIsIterationInvariantRate}; }

  double ceiling_;
};

/// Rooms live as long as the calls that use them.
std::shared_ptr<Room> room(std::size_t size, ElementType type, float range = 1.0f) {
  return std::make_shared<Room>(size, type, range);
}

void add_norms(const Bench& bench, ElementType type) {
  constexpr NormDims kDims{kTokens, kDim};
  constexpr NormRule kRule{NormKind::rms, 1e-5f};
  const auto stream = room(kTokens * kDim, kFp32);
  const auto update = room(kTokens * kDim, kFp32);
  const auto normed = room(kTokens * kDim, type);
  const auto gain = room(kDim, kFp32);
  const auto dgain = room(kDim, kFp32);
  const auto sums = room(gain_scratch_numel(kDims), kFp32);
  const auto statistics = room(2 * kTokens, kFp32);
  const std::string suffix = "/" + std::string{name_of(type)};
  bench.add("norm_forward" + suffix, stream->bytes() + normed->bytes(), [=](std::size_t turn) {
    norm_forward(kRule, kDims, stream->at(turn), gain->floats(0), normed->at(turn),
                 statistics->floats(0));
  });
  bench.add("norm_forward_of_sum" + suffix, 3 * stream->bytes() + normed->bytes(),
            [=](std::size_t turn) {
              norm_forward_of_sum(kRule, kDims, stream->at(turn), update->floats(turn),
                                  stream->at(turn + 1), gain->floats(0), normed->at(turn),
                                  statistics->floats(0));
            });
  bench.add("norm_backward" + suffix, 4 * stream->bytes() + (type == kFp32 ? 0.0 : normed->bytes()),
            [=](std::size_t turn) {
              norm_backward(kRule, kDims, stream->at(turn), gain->floats(0), statistics->floats(0),
                            update->floats(turn), update->floats(turn + 1), Store::add,
                            {dgain->floats(0), Store::add, sums->floats(0)},
                            type == kFp32 ? Elements{} : normed->at(turn));
            });
}

void add_swiglu(const Bench& bench, ElementType type) {
  constexpr std::size_t kCount = kTokens * kFfn;
  const auto gate = room(kCount, type);
  const auto up = room(kCount, type);
  const auto activated = room(kCount, type);
  const auto dactivated = room(kCount, kFp32);
  const std::string suffix = "/" + std::string{name_of(type)};
  bench.add("swiglu_forward" + suffix, 3 * gate->bytes(), [=](std::size_t turn) {
    gated_activation_forward(Activation::silu, gate->at(turn), up->at(turn), activated->at(turn));
  });
  bench.add("swiglu_backward" + suffix, 5 * gate->bytes() + dactivated->bytes(),
            [=](std::size_t turn) {
              gated_activation_backward(Activation::silu, gate->at(turn), up->at(turn),
                                        dactivated->at(turn), gate->at(turn), up->at(turn),
                                        activated->at(turn));
            });
}

void add_rope(const Bench& bench, ElementType type) {
  const auto x = room(kTokens * kDim, kFp32);
  const auto y = room(kTokens * kDim, type);
  const RopeTable table{kTokens, kDim / kHeads, {.base = 10000.0}};
  std::vector<std::int32_t> positions;
  for (std::size_t t = 0; t < kTokens; ++t) positions.push_back(static_cast<std::int32_t>(t));
  bench.add("rope/" + std::string{name_of(type)}, x->bytes() + y->bytes(), [=](std::size_t turn) {
    rope(table, Rotation::forward, positions, kHeads, x->at(turn), y->at(turn));
  });
}

void add_cross_entropy(const Bench& bench, std::size_t vocabulary, ElementType type) {
  constexpr std::size_t kRows = 64;
  const auto logits = room(kRows * vocabulary, kFp32, 5.0f);
  const auto dlogits = room(kRows * vocabulary, type);
  const auto nll = room(kRows, kFp32);
  const std::vector<std::int32_t> labels(kRows, 3);
  bench.add(fmt::format("cross_entropy_{}/{}", vocabulary, name_of(type)),
            logits->bytes() + dlogits->bytes(), [=](std::size_t turn) {
              const Elements gradient = type == kFp32 ? logits->at(turn) : dlogits->at(turn);
              cross_entropy(vocabulary, labels, {}, 1e-3f, logits->floats(turn), {nll->floats(0)},
                            gradient);
            });
}

void add_sum(const Bench& bench) {
  const auto stream = room(kTokens * kDim, kFp32);
  const auto update = room(kTokens * kDim, kFp32);
  bench.add("add", 3 * stream->bytes(), [=](std::size_t turn) {
    add(stream->at(turn), update->floats(turn), stream->at(turn + 1));
  });
}

void add_embedding(const Bench& bench) {
  const auto gradient = room(kTokens * kDim, kFp32);
  const auto table = room(kVocabulary * kDim, kFp32);
  std::vector<std::int32_t> ids;
  for (std::size_t t = 0; t < kTokens; ++t) {
    ids.push_back(static_cast<std::int32_t>(t * 2654435761u % kVocabulary));
  }
  bench.add("embedding_backward", 3 * gradient->bytes(), [=](std::size_t turn) {
    embedding_backward(kDim, ids, 1.0f, gradient->floats(turn), table->floats(turn));
  });
}

void add_adamw(const Bench& bench) {
  constexpr AdamWStep kStep{1.0f, 0.9f, 0.95f, 1e-3f, 1.1f, 1e-8f, 0.999f};
  const auto gradient = room(kParameters, kFp32);
  const auto weight = room(kParameters, kFp32);
  const auto moment1 = room(kParameters, kFp32);
  const auto moment2 = room(kParameters, kFp32);
  const auto high = room(kParameters, ElementType::bf16);
  const auto low = std::make_shared<Mapping>(bench::kTurns * kParameters * sizeof(std::int16_t));
  const auto partials = std::make_shared<std::vector<AdamWPartials>>(granules_for(kParameters));
  for (std::size_t turn = 0; turn < bench::kTurns; ++turn) {
    std::ranges::fill(moment2->floats(turn), 0.25f);
  }
  const auto state = [=](std::size_t turn) {
    return AdamWState{gradient->floats(turn), moment1->floats(turn), moment2->floats(turn)};
  };
  const auto low_of = [=](std::size_t turn) {
    auto* const all = reinterpret_cast<std::int16_t*>(low->bytes().data());
    return std::span{all + turn % bench::kTurns * kParameters, kParameters};
  };
  const double bytes = 7 * weight->bytes();
  bench.add("adamw/fp32", bytes,
            [=](std::size_t turn) { adamw(kStep, weight->floats(turn), state(turn)); });
  bench.add("adamw/split", bytes, [=](std::size_t turn) {
    adamw(kStep, high->at(turn).halves(), low_of(turn), state(turn));
  });
  const auto watched = [=](std::size_t turn) {
    AdamWState all = state(turn);
    all.partials = *partials;
    return all;
  };
  bench.add("adamw_partials/fp32", bytes,
            [=](std::size_t turn) { adamw(kStep, weight->floats(turn), watched(turn)); });
  bench.add("adamw_partials/split", bytes, [=](std::size_t turn) {
    adamw(kStep, high->at(turn).halves(), low_of(turn), watched(turn));
  });
  bench.add("plain_loop", bytes, [=](std::size_t turn) {
    plain_loop(gradient->floats(turn).data(), weight->floats(turn).data(),
               moment1->floats(turn).data(), moment2->floats(turn).data(), kParameters);
  });
}

void add_attention(const Bench& bench, std::size_t seq_len, ElementType type) {
  const AttentionDims dims{1, seq_len, kHeads, kHeads, kDim / kHeads};
  const std::shared_ptr<PanelKernel> kernel = make_panel_kernel(type);
  const std::size_t numel = dims.tokens() * dims.dim();
  const auto arrays = std::make_shared<std::vector<std::vector<std::byte>>>();
  for (std::size_t i = 0; i < 8; ++i) {
    arrays->emplace_back(numel * size_of(type));
    const std::vector<float> values(numel, 0.01f * static_cast<float>(i + 1));
    narrow(values, {arrays->back().data(), numel, type});
  }
  const auto array = [=](std::size_t i) { return Elements{(*arrays)[i].data(), numel, type}; };
  const auto log_sum_exp = std::make_shared<std::vector<float>>(dims.heads * dims.tokens());
  const auto scratch = std::make_shared<std::vector<float>>(attention_scratch_numel(dims));
  // Two products forward, five backward, of the causal half.
  const double product = static_cast<double>(dims.tokens() * seq_len * dims.dim());
  const auto forward = [=](std::size_t) {
    attention_forward(*kernel, dims, {}, {array(0), array(1), array(2), {}}, array(3), *log_sum_exp,
                      *scratch);
  };
  const auto name = [&](std::string_view direction) {
    return fmt::format("attention_{}/{}/{}", direction, seq_len, name_of(type));
  };
  bench.add_products(name("forward"), 2 * product, forward);
  bench.add_products(name("backward"), 5 * product, [=](std::size_t turn) {
    if (turn == 0) forward(0);
    attention_backward(*kernel, dims, {}, {array(0), array(1), array(2), {}}, array(3),
                       *log_sum_exp, array(4), {array(5), array(6), array(7)}, *scratch);
  });
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  const double ceiling = triad_bytes_per_s();
  fmt::print("triad: {:.2f} GB/s\n", ceiling * 1e-9);
  const Bench bench{ceiling};
  for (const ElementType type : {ElementType::fp32, ElementType::bf16, ElementType::fp16}) {
    add_norms(bench, type);
    add_swiglu(bench, type);
    add_rope(bench, type);
    add_cross_entropy(bench, kVocabulary, type);
  }
  add_cross_entropy(bench, kLargeVocabulary, ElementType::bf16);
  add_sum(bench);
  add_embedding(bench);
  add_adamw(bench);
  for (const std::size_t seq_len : {256u, 4096u, 16384u}) {
    for (const ElementType type : {ElementType::fp32, ElementType::bf16}) {
      add_attention(bench, seq_len, type);
    }
  }
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}

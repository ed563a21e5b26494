// Prints a hash of what each kernel computes: equal on every instruction set.
#include <algorithm>
#include <array>
#include <bit>
#include <fmt/core.h>
#include <span>
#include <string_view>
#include <vector>

#include "base/hash.hpp"
#include "kernels/activations.hpp"
#include "kernels/adamw_update.hpp"
#include "kernels/attention/attention.hpp"
#include "kernels/bias.hpp"
#include "kernels/convert.hpp"
#include "kernels/cross_entropy.hpp"
#include "kernels/elementwise.hpp"
#include "kernels/embedding.hpp"
#include "kernels/fold.hpp"
#include "kernels/gated_activation.hpp"
#include "kernels/lanes/math.hpp"
#include "kernels/norm.hpp"
#include "kernels/rope.hpp"
#include "kernels/softcap.hpp"
#include "kernels/top_tokens.hpp"
#include "kernels/typed.hpp"
#include "kernels/ungated_activation.hpp"
#include "kernels/values.hpp"

namespace {

using namespace ballast;
using namespace ballast::kernels;

using Values = std::vector<float>;

constexpr std::size_t kDims[] = {1, 7, 16, 17, 31, 64, 130, 1000};

void print(std::string_view name, Hasher& hasher) {
  fmt::print("{} {}\n", name, hasher.digest().hex());
}

template <class... Vectors>
void hash_into(Hasher& hasher, const Vectors&... values) {
  (hasher.update(std::as_bytes(std::span{values})), ...);
}

void digest_elementwise() {
  Hasher hasher;
  for (const std::size_t dim : kDims) {
    const Values a = random_values(1, dim, 3.0);
    Values b = random_values(2, dim);
    accumulate(a, b);
    scale(b, 0.3f, b);
    hash_into(hasher, b, std::vector{sum_of_squares(a)});
    for (const ElementType type : kEveryType) {
      Typed sum{a, type};
      add(sum, b, sum);
      hasher.update(sum.bytes());
    }
  }
  print("elementwise", hasher);
}

/// Every pattern of 16 bits, and fp32 patterns over the whole range.
void digest_convert() {
  Hasher hasher;
  std::vector<std::uint16_t> halves(65536 + 5);
  for (std::size_t i = 0; i < halves.size(); ++i) halves[i] = static_cast<std::uint16_t>(i);
  Values values(halves.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = std::bit_cast<float>(static_cast<std::uint32_t>(i * 2654435761u));
  }
  std::vector<std::int16_t> low(halves.size());
  for (const ElementType type : {ElementType::bf16, ElementType::fp16}) {
    const Elements all{reinterpret_cast<std::byte*>(halves.data()), halves.size(), type};
    Values wide(halves.size());
    widen(all, wide);
    hash_into(hasher, wide);
    narrow(values, all);
    hash_into(hasher, halves);
  }
  split_master(values, halves, low);
  hash_into(hasher, halves, low);
  print("convert", hasher);
}

void digest_fold() {
  Hasher hasher;
  for (const std::size_t dim : kDims) {
    const Values a = random_values(1, dim, 3.0);
    const Values b = random_values(2, dim);
    const Values c = random_values(3, dim);
    for (const Store store : {Store::overwrite, Store::add}) {
      Values out = random_values(4, dim);
      fold(std::array{a.data(), b.data(), c.data(), a.data(), b.data()}, store, out);
      hash_into(hasher, out);
    }
  }
  print("fold", hasher);
}

void digest_gated(std::string_view name, Activation kind) {
  Hasher hasher;
  for (const std::size_t dim : kDims) {
    for (const double range : {1.0, 200.0}) {
      for (const ElementType type : kEveryType) {
        Typed gate{random_values(1, dim, range), type};
        Typed up{random_values(2, dim), type};
        const Values dout = random_values(3, dim);
        Typed out{dim, type};
        gated_activation_forward(kind, gate, up, out);
        hasher.update(out.bytes());
        gated_activation_backward(kind, gate, up, std::span{dout}, gate, up, out);
        gated_activation_backward(kind, gate, up, gate, gate, up, out);
        for (const Typed* values : {&gate, &up, &out}) hasher.update(values->bytes());
      }
    }
  }
  print(name, hasher);
}

void digest_ungated(Activation kind) {
  Hasher hasher;
  for (const std::size_t dim : kDims) {
    for (const double range : {1.0, 8.0, 200.0}) {
      for (const ElementType type : kEveryType) {
        Typed x{random_values(1, dim, range), type};
        const Values dout = random_values(2, dim);
        Typed out{dim, type};
        activation_forward(kind, x, out);
        hasher.update(out.bytes());
        activation_backward(kind, x, std::span{dout}, x, out);
        for (const Typed* values : {&x, &out}) hasher.update(values->bytes());
      }
    }
  }
  print(name_of(kind), hasher);
}

void digest_adamw(Hasher& hasher, std::size_t dim, std::span<AdamWPartials> partials) {
  constexpr AdamWStep kStep{0.7f, 0.9f, 0.95f, 1e-3f, 1.1f, 1e-8f, 0.999f};
  Values weight = random_values(1, dim);
  Values moment1(dim);
  Values moment2(dim);
  Values master = weight;
  std::vector<std::uint16_t> fp16(dim);
  std::vector<std::uint16_t> high(dim);
  std::vector<std::int16_t> low(dim);
  split_master(weight, high, low);
  Values split_moment1(dim);
  Values split_moment2(dim);
  Values master_moment1(dim);
  Values master_moment2(dim);
  for (std::uint32_t step = 0; step < 3; ++step) {
    const Values gradient = random_values(2 + step, dim);
    adamw(kStep, weight, {gradient, moment1, moment2, partials});
    hash_into(hasher, partials);
    adamw(kStep, high, low, {gradient, split_moment1, split_moment2, partials});
    hash_into(hasher, partials);
    adamw(kStep, master, fp16, {gradient, master_moment1, master_moment2, partials});
    hash_into(hasher, partials);
  }
  hash_into(hasher, weight, moment1, moment2, high, low, master, fp16);
}

void digest_adamw() {
  Hasher hasher;
  std::vector<AdamWPartials> partials(3);
  for (const std::size_t dim : kDims) digest_adamw(hasher, dim, {});
  print("adamw", hasher);
  for (const std::size_t dim : {std::size_t{1}, std::size_t{1000}, 2 * kGranule + 777}) {
    digest_adamw(hasher, dim, {});
    digest_adamw(hasher, dim, std::span{partials}.first(granules_for(dim)));
  }
  print("adamw_partials", hasher);
}

void digest_norm(Hasher& hasher, const NormRule& rule, NormDims dims, ElementType type) {
  const std::size_t numel = dims.rows * dims.dim;
  Typed x{random_values(1, numel), type};
  const Values gain = random_values(2, dims.dim);
  const Values dy = random_values(3, numel);
  Typed y{numel, type};
  Values statistics(2 * dims.rows);
  Values dx(numel);
  Values dgain(dims.dim);
  Values sums(gain_scratch_numel(dims));
  norm_forward(rule, dims, x, gain, y, statistics);
  hasher.update(y.bytes());
  norm_forward_of_sum(rule, dims, x, dy, x, gain, y, statistics);
  hasher.update(y.bytes());
  norm_backward(rule, dims, x, gain, statistics, dy, dx, Store::add,
                {dgain, Store::overwrite, sums}, y);
  hasher.update(y.bytes());
  hash_into(hasher, statistics, dx, dgain);
}

void digest_norm(std::string_view name, float gain_offset) {
  Hasher hasher;
  for (const NormKind kind : {NormKind::rms, NormKind::layer}) {
    for (const std::size_t dim : kDims) {
      for (const ElementType type : kEveryType) {
        digest_norm(hasher, {kind, 1e-5f, gain_offset}, {5, dim}, type);
      }
    }
  }
  print(name, hasher);
}

void digest_bias() {
  Hasher hasher;
  for (const std::size_t dim : kDims) {
    for (const ElementType type : kEveryType) {
      constexpr std::size_t kRows = 37;
      Typed x{random_values(1, kRows * dim), type};
      add_bias(kRows, dim, random_values(2, dim), x);
      scale(x, 0.3f, x);
      Values dbias = random_values(3, dim);
      Values sums(column_sums_numel(kRows, dim));
      bias_gradient(kRows, dim, x, {dbias, Store::add, sums});
      hasher.update(x.bytes());
      hash_into(hasher, dbias);
    }
  }
  print("bias", hasher);
}

void digest_softcap() {
  Hasher hasher;
  for (const std::size_t dim : kDims) {
    for (const ElementType type : kEveryType) {
      Values logits = random_values(1, dim, 60.0);
      Typed dlogits{random_values(2, dim), type};
      softcap_forward(30.0f, logits);
      softcap_backward(30.0f, logits, dlogits);
      hash_into(hasher, logits);
      hasher.update(dlogits.bytes());
    }
  }
  print("softcap", hasher);
}

void digest_rope() {
  Hasher hasher;
  for (const std::size_t head_dim : std::array<std::size_t, 3>{2, 14, 64}) {
    const RopeTable table{19, head_dim, {.base = 10000.0}};
    const auto positions = positions_of(2, 19);
    const Values x = random_values(1, positions.size() * 3 * head_dim);
    for (const ElementType type : kEveryType) {
      Typed turned{x.size(), type};
      rope(table, Rotation::forward, positions, 3, std::span{x}, turned);
      rope(table, Rotation::backward, positions, 3, turned, turned);
      hasher.update(turned.bytes());
    }
    hash_into(hasher, table.row(18));
  }
  print("rope", hasher);
}

void digest_cross_entropy() {
  Hasher hasher;
  for (const std::size_t vocabulary : kDims) {
    const std::vector<std::int32_t> labels{0, kIgnoreLabel,
                                           static_cast<std::int32_t>(vocabulary - 1)};
    Values nll(3), log_z(3);
    for (const ElementType type : kEveryType) {
      Values logits = random_values(1, 3 * vocabulary, 20.0);
      cross_entropy_loss(vocabulary, labels, logits, {nll});
      hash_into(hasher, nll);
      Typed gradient{logits.size(), type};
      cross_entropy(vocabulary, labels, {}, 0.25f, logits, {nll, log_z}, gradient);
      hash_into(hasher, nll);
      hash_into(hasher, log_z);
      hasher.update(gradient.bytes());
    }
  }
  print("cross_entropy", hasher);
}

void digest_top_tokens() {
  Hasher hasher;
  for (const std::size_t vocabulary : kDims) {
    const Values logits = random_values(1, 3 * vocabulary, 20.0);
    std::vector<TokenLoss> top(3 * std::min<std::size_t>(5, vocabulary));
    top_tokens(vocabulary, top.size() / 3, logits, top);
    hash_into(hasher, top);
  }
  print("top_tokens", hasher);
}

void digest_attention(std::string_view name, const AttentionRule& rule) {
  Hasher hasher;
  const auto kernel = make_portable_kernel();
  for (const std::size_t seq_len : std::array<std::size_t, 5>{1, 5, 64, 65, 300}) {
    const AttentionDims dims{2, seq_len, 4, 2, 17};
    const Values q = random_values(1, dims.tokens() * dims.dim(), 3.0);
    const Values k = random_values(2, dims.tokens() * dims.kv_dim(), 3.0);
    const Values v = random_values(3, k.size());
    const Values dout = random_values(4, q.size());
    Values out(q.size());
    Values log_sum_exp(dims.heads * dims.tokens());
    Values scratch(attention_scratch_numel(dims));
    Values dq(q.size());
    Values dk(k.size());
    Values dv(v.size());
    const AttentionInput input{std::span{q}, std::span{k}, std::span{v}, {}};
    const float largest =
        attention_forward(*kernel, dims, rule, input, std::span{out}, log_sum_exp, scratch);
    attention_backward(*kernel, dims, rule, input, std::span{out}, log_sum_exp, std::span{dout},
                       {std::span{dq}, std::span{dk}, std::span{dv}}, scratch);
    hash_into(hasher, out, log_sum_exp, std::vector{largest}, dq, dk, dv);
  }
  print(name, hasher);
}

void digest_embedding() {
  Hasher hasher;
  const std::vector<std::int32_t> ids{3, 0, 3, 2};
  for (const std::size_t dim : kDims) {
    Values table = random_values(1, 5 * dim);
    embedding_backward(dim, ids, 1.0f, random_values(2, ids.size() * dim), table);
    hash_into(hasher, table);
  }
  print("embedding", hasher);
}

void digest_math() {
  std::vector<double> values;
  for (int i = -5000; i < 5000; ++i) {
    const double x = 0.137 * i;
    values.insert(values.end(), {portable_exp(x), portable_log(x * x + 1e-9), portable_cos(x),
                                 portable_sin(x), portable_power(x, 11)});
  }
  Hasher hasher;
  hash_into(hasher, values);
  print("math", hasher);
}

}  // namespace

int main() {
#if defined(BALLAST_ISA_LEVEL) && !defined(__clang__)
  if (!__builtin_cpu_supports(BALLAST_ISA_LEVEL)) {
    fmt::print("unsupported: this processor lacks {}\n", BALLAST_ISA_LEVEL);
    return 0;
  }
#endif
  digest_elementwise();
  digest_convert();
  digest_fold();
  digest_gated("swiglu", Activation::silu);
  digest_adamw();
  digest_norm("norm", 0.0f);
  digest_rope();
  digest_cross_entropy();
  digest_top_tokens();
  digest_attention("attention", {});
  digest_embedding();
  digest_math();
  digest_attention("attention_window", {.scale = 0.2f, .window = 40});
  digest_attention("attention_softcap", {.softcap = 5.0f});
  digest_attention("attention_slopes", {.slopes = alibi_slopes(4)});
  digest_norm("norm_offset", 1.0f);
  digest_bias();
  digest_softcap();
  for (const Activation kind : kEveryActivation) {
    digest_ungated(kind);
    if (kind != Activation::silu) digest_gated(fmt::format("gated_{}", name_of(kind)), kind);
  }
}

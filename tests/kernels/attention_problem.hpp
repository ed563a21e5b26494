#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "kernels/attention/attention.hpp"
#include "kernels/convert.hpp"
#include "kernels/values.hpp"
#include "reference/attention.hpp"

namespace ballast::kernels {

/// Values rounded to a type, and as the references take them.
class Rounded {
 public:
  Rounded(const std::vector<float>& values, ElementType type)
      : bytes_(values.size() * size_of(type)), size_{values.size()}, type_{type} {
    narrow(values, elements());
  }

  [[nodiscard]] Elements elements() { return {bytes_.data(), size_, type_}; }
  [[nodiscard]] std::vector<float> floats() {
    std::vector<float> values(size_);
    widen(elements(), values);
    return values;
  }
  [[nodiscard]] std::vector<double> doubles() { return as_double(floats()); }
  [[nodiscard]] const std::vector<std::byte>& bytes() const { return bytes_; }

 private:
  std::vector<std::byte> bytes_;
  std::size_t size_;
  ElementType type_;
};

/// Documents of 1, 4, 7, 10, ... tokens, numbered from 3 in every sequence.
inline std::vector<std::int32_t> segments_of(const AttentionDims& dims) {
  std::vector<std::int32_t> segments;
  for (std::size_t sequence = 0; sequence < dims.sequences; ++sequence) {
    std::int32_t segment = 3;
    std::size_t left = 1;
    std::size_t length = 1;
    for (std::size_t t = 0; t < dims.seq_len; ++t, --left) {
      if (left == 0) {
        ++segment;
        left = length += 3;
      }
      segments.push_back(segment);
    }
  }
  return segments;
}

/// One call of each kernel on drawn values; everything written is poisoned before.
struct Problem {
  Problem(const AttentionDims& shape, ElementType type, std::vector<std::int32_t> documents,
          double range = 4.0, const AttentionRule& by = {})
      : dims{shape},
        rule{by},
        segments{std::move(documents)},
        q{random_values(1, dims.tokens() * dims.dim(), range), type},
        k{random_values(2, dims.tokens() * dims.kv_dim(), range), type},
        v{random_values(3, dims.tokens() * dims.kv_dim()), type},
        dout{random_values(4, dims.tokens() * dims.dim()), type},
        out{not_numbers(dims.tokens() * dims.dim()), type},
        dq{not_numbers(dims.tokens() * dims.dim()), type},
        dk{not_numbers(dims.tokens() * dims.kv_dim()), type},
        dv{not_numbers(dims.tokens() * dims.kv_dim()), type},
        log_sum_exp{not_numbers(dims.heads * dims.tokens())},
        scratch{not_numbers(attention_scratch_numel(dims))} {}

  [[nodiscard]] AttentionInput input() {
    return {q.elements(), k.elements(), v.elements(), segments};
  }

  float forward(const PanelKernel& kernel) {
    return attention_forward(kernel, dims, rule, input(), out.elements(), log_sum_exp, scratch);
  }

  /// With gradients of fp32, for what the operands' type has in common with the reference.
  void backward(const PanelKernel& kernel) {
    scratch = not_numbers(scratch.size());
    attention_backward(kernel, dims, rule, input(), out.elements(), log_sum_exp, dout.elements(),
                       {dq.elements(), dk.elements(), dv.elements()}, scratch);
  }

  [[nodiscard]] auto expected_forward() {
    return reference::attention_forward<double>(dims, q.doubles(), k.doubles(), v.doubles(),
                                                segments, rule);
  }
  [[nodiscard]] auto expected_backward() {
    return reference::attention_backward<double>(dims, q.doubles(), k.doubles(), v.doubles(),
                                                 segments, dout.doubles(), rule);
  }

  AttentionDims dims;
  AttentionRule rule;
  std::vector<std::int32_t> segments;
  Rounded q, k, v, dout, out, dq, dk, dv;
  std::vector<float> log_sum_exp;
  std::vector<float> scratch;
};

/// Every kernel that this processor has for a type.
struct Candidate {
  std::shared_ptr<PanelKernel> kernel;
  ElementType type;
};

inline std::vector<Candidate> candidates() {
  std::vector<Candidate> all;
  for (const ElementType type : {ElementType::fp32, ElementType::bf16, ElementType::fp16}) {
    all.push_back({make_panel_kernel(type), type});
    all.push_back({make_portable_kernel(), type});
  }
  return all;
}

/// What rounding the results, and on AMX the probabilities, to the type may cost.
inline double tolerance(const Candidate& candidate, double of_fp32) {
  if (candidate.kernel->type() == ElementType::bf16) return 6e-3;
  if (candidate.type == ElementType::bf16) return 3e-3;
  return candidate.type == ElementType::fp16 ? 4e-4 : of_fp32;
}

/// dq and dk are differences of what rounding the output of the forward already moved.
inline double gradient_tolerance(const Candidate& candidate) {
  return 4.0 * tolerance(candidate, 1e-6);
}

}  // namespace ballast::kernels

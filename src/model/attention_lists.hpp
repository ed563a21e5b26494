#pragma once

#include <cstddef>

// Where AttentionLayer::list has what: only attention_*.cpp read this.
namespace ballast::model::attention {

enum Tensor : std::size_t { wq, wk, wv, q_norm, k_norm, wo, bq, bk, bv, bo };
enum Kept : std::size_t {
  q_raw,
  k_raw,
  q_statistics,
  k_statistics,
  q,
  k,
  v,
  log_sum_exp,
  attended
};
enum Room : std::size_t { tiles, dq, dk, dv };

}  // namespace ballast::model::attention

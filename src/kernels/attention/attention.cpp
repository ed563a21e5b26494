#include "kernels/attention/attention.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <limits>

#include "kernels/attention/attention_logits.hpp"
#include "kernels/attention/attention_rows.hpp"
#include "kernels/attention/attention_softmax.hpp"
#include "kernels/attention/attention_tile.hpp"
#include "kernels/gemm/gemm.hpp"
#include "kernels/lanes/lanes.hpp"
#include "kernels/lanes/math.hpp"

namespace ballast::kernels {

namespace {

constexpr double kLog2E = 0x1.71547652b82fep+0;
constexpr double kLn2 = 0x1.62e42fefa39efp-1;

/// Heads of keys of one sequence, one after another.
class Forward {
 public:
  Forward(const PanelKernel& kernel, const AttentionDims& dims, const AttentionRule& rule,
          const AttentionInput& input, const Elements& out, std::span<float> log_sum_exp,
          std::span<float> scratch)
      : kernel_{kernel},
        dims_{dims},
        rule_{rule},
        input_{input},
        out_{out},
        log_sum_exp_{log_sum_exp},
        rooms_{forward_rooms(dims, scratch)},
        tile_{kForwardTile.queries / kernel.shape().rows * kernel.shape().rows,
              kForwardTile.keys / kernel.shape().cols * kernel.shape().cols},
        scale_{static_cast<float>(static_cast<double>(tile_scale(rule, dims)) * kLog2E)} {}

  /// Every query head of one head of keys. Returns the largest logit, over tile_scale.
  float run(std::size_t sequence, std::size_t kv_head) {
    const AttentionDims& d = dims_;
    start_ = sequence * d.seq_len;
    const auto keys = head_rows(input_.k, start_, kv_head, d.kv_heads, d.head_dim);
    const auto values = head_rows(input_.v, start_, kv_head, d.kv_heads, d.head_dim);
    kernel_.pack_b(along(keys, d.seq_len, d.head_dim), bytes_of(rooms_.keys));
    kernel_.pack_b(across(values, d.seq_len, d.head_dim), bytes_of(rooms_.values));
    const std::size_t group = d.heads / d.kv_heads;
    float largest = -std::numeric_limits<float>::infinity();
    for (std::size_t head = kv_head * group; head < (kv_head + 1) * group; ++head) {
      for (std::size_t query = 0; query < d.seq_len; query += tile_.queries) {
        const std::size_t end = std::min(query + tile_.queries, d.seq_len);
        largest = std::max(largest, run_queries(head, {query, end}));
      }
    }
    return largest;
  }

 private:
  static std::byte* bytes_of(float* room) { return reinterpret_cast<std::byte*>(room); }

  float run_queries(std::size_t head, TokenRange queries) {
    const AttentionDims& d = dims_;
    const std::size_t rows = queries.end - queries.begin;
    kernel_.pack_a(along(head_rows(input_.q, start_ + queries.begin, head, d.heads, d.head_dim),
                         rows, d.head_dim),
                   bytes_of(rooms_.queries));
    std::fill_n(rooms_.max, rows, -std::numeric_limits<float>::infinity());
    std::fill_n(rooms_.sum, rows * kLanes, 0.0f);
    const AttentionMask mask{d, rule_, input_.segments, start_};
    slope_ = rule_.slope(head);
    std::array<std::size_t, kForwardTile.queries> first{};
    mask.first_keys(queries, first.data());
    const std::size_t begin = first[0] / kernel_.shape().cols * kernel_.shape().cols;
    for (std::size_t key = begin; key < queries.end; key += tile_.keys) {
      run_keys(queries, {key, std::min(key + tile_.keys, queries.end)}, first.data(),
               key == begin ? Store::overwrite : Store::add);
    }
    finish(head, queries);
    return lane_max(rooms_.max, rows);
  }

  void run_keys(TokenRange queries, TokenRange keys, const std::size_t* first, Store store) {
    const AttentionDims& d = dims_;
    const PanelShape shape = kernel_.shape();
    const std::size_t rows = queries.end - queries.begin;
    std::array<SeenCols, kForwardTile.queries> seen;
    for (std::size_t r = 0; r < rows; ++r) {
      seen[r] = {std::max(first[r], keys.begin) - keys.begin,
                 std::min(queries.begin + r + 1, keys.end)};
      seen[r].end = std::max(seen[r].end, keys.begin) - keys.begin;
    }
    multiply_heads(rows, keys.begin, seen.data());
    if (rule_.bends_logits()) {
      finish_logits({rooms_.logits, rooms_.stride, rows, seen.data(), attention_scale(rule_, d),
                     rule_.softcap, slope_, distance(keys.begin, queries.begin), -1.0f});
    }
    const std::size_t count = keys.end - keys.begin;
    const WeightTile weights{bytes_of(rooms_.probabilities), rooms_.stride, kernel_.type()};
    float* const summed = store == Store::add ? rooms_.out : nullptr;
    softmax_tile({rooms_.logits, rooms_.stride, weights, rows, shape.padded_depth(count),
                  seen.data(), scale_, rooms_.max, rooms_.sum, summed, head_stride(d)});
    sum_up(weights, rows, keys.begin, seen.data(), store);
  }

  /// Queries times the keys from `key` on that each row panel sees.
  void multiply_heads(std::size_t rows, std::size_t key, const SeenCols* seen) {
    const PanelShape shape = kernel_.shape();
    const std::size_t depth = dims_.head_dim;
    RowPanels panels{kernel_};
    for (std::size_t row = 0; row < rows; row += shape.rows) {
      const auto cols = seen_by_panel(seen, row, std::min(shape.rows, rows - row), shape);
      if (cols.begin == cols.end) continue;
      panels.add({.a = panel_at(kernel_, rooms_.queries, row, depth),
                  .a_stride = 0,
                  .b = panel_at(kernel_, rooms_.keys, key + cols.begin, depth),
                  .m = shape.rows,
                  .n = rounded_up(cols.end - cols.begin, shape.cols),
                  .depth = depth,
                  .c = target(rooms_.logits + row * rooms_.stride + cols.begin, rooms_.stride,
                              Store::overwrite)});
    }
    panels.multiply();
  }

  /// Probabilities times the values from `key` on that each row panel sees.
  void sum_up(const WeightTile& weights, std::size_t rows, std::size_t key, const SeenCols* seen,
              Store store) {
    const PanelShape shape = kernel_.shape();
    const std::size_t stride = head_stride(dims_);
    RowPanels panels{kernel_};
    for (std::size_t row = 0; row < rows; row += shape.rows) {
      const std::size_t count = std::min(shape.rows, rows - row);
      const auto cols = seen_by_panel(seen, row, count, shape);
      if (cols.begin == cols.end && store == Store::add) continue;
      const LeftOperand left = left_operand(kernel_, weights, {row, row + count}, cols,
                                            panel_at(kernel_, rooms_.panels, row, rooms_.stride));
      panels.add(
          {.a = left.data,
           .a_stride = left.stride,
           .b = bytes_of(rooms_.values) + (key + cols.begin) * shape.cols * size_of(kernel_.type()),
           .m = shape.rows,
           .n = rounded_up(dims_.head_dim, shape.cols),
           .depth = cols.end - cols.begin,
           .c = target(rooms_.out + row * stride, stride, store),
           .b_stride = shape.padded_depth(dims_.seq_len) * shape.cols});
    }
    panels.multiply();
  }

  void finish(std::size_t head, TokenRange queries) {
    const AttentionDims& d = dims_;
    const std::size_t rows = queries.end - queries.begin;
    std::array<float, kForwardTile.queries> sums;
    row_sums(rooms_.sum, rows, sums.data());
    divide_rows({rooms_.out, rows, d.head_dim, head_stride(d)}, sums.data(),
                head_rows(out_, start_ + queries.begin, head, d.heads, d.head_dim));
    float* const log_sum_exp = log_sum_exp_.data() + head * d.tokens() + start_ + queries.begin;
    const double scale = static_cast<double>(scale_) * kLn2;
    for (std::size_t r = 0; r < rows; ++r) {
      log_sum_exp[r] = static_cast<float>(static_cast<double>(rooms_.max[r]) * scale +
                                          portable_log(static_cast<double>(sums[r])));
    }
  }

  [[nodiscard]] static PanelTarget target(float* data, std::size_t stride, Store store) {
    return {bytes_of(data), stride, ElementType::fp32, store == Store::add, false, 1.0f};
  }

  const PanelKernel& kernel_;
  const AttentionDims& dims_;
  const AttentionRule& rule_;
  const AttentionInput& input_;
  const Elements& out_;
  std::span<float> log_sum_exp_;
  ForwardRooms rooms_;
  AttentionTileSize tile_;
  float scale_;
  std::size_t start_ = 0;
  float slope_ = 0.0f;
};

}  // namespace

float attention_forward(const PanelKernel& kernel, const AttentionDims& dims,
                        const AttentionRule& rule, const AttentionInput& input, const Elements& out,
                        std::span<float> log_sum_exp, std::span<float> scratch, Team* team) {
  require_valid(rule, dims);
  // The largest number is the same in whatever order they are looked at.
  std::atomic<float> largest = -std::numeric_limits<float>::infinity();
  run_tasks(team, dims.sequences * dims.kv_heads, [&](std::size_t task, std::size_t worker) {
    const auto room = worker_scratch(dims, scratch, worker);
    Forward forward{kernel, dims, rule, input, out, log_sum_exp, room};
    const float found = forward.run(task / dims.kv_heads, task % dims.kv_heads);
    float known = largest.load(std::memory_order_relaxed);
    while (known < found && !largest.compare_exchange_weak(known, found)) {
    }
  });
  return largest * tile_scale(rule, dims);
}

}  // namespace ballast::kernels

#include <algorithm>
#include <array>

#include "kernels/attention/attention.hpp"
#include "kernels/attention/attention_logits.hpp"
#include "kernels/attention/attention_rows.hpp"
#include "kernels/attention/attention_softmax.hpp"
#include "kernels/attention/attention_tile.hpp"
#include "kernels/lanes/lanes.hpp"

namespace ballast::kernels {

namespace {

constexpr float kLog2E = 0x1.715476p+0f;

/// Heads of keys of one sequence, one after another. Tiles are [keys, queries]: what their products
/// with dout and q need, as the rows of op(a).
class Backward {
 public:
  Backward(const PanelKernel& kernel, const AttentionDims& dims, const AttentionRule& rule,
           const AttentionInput& input, const ConstElements& out,
           std::span<const float> log_sum_exp, const ConstElements& dout,
           const AttentionGradient& gradient, std::span<float> scratch)
      : kernel_{kernel},
        dims_{dims},
        rule_{rule},
        input_{input},
        out_{out},
        log_sum_exp_{log_sum_exp},
        dout_{dout},
        gradient_{gradient},
        rooms_{backward_rooms(dims, scratch)},
        tile_{kBackwardTile.queries / kernel.shape().cols * kernel.shape().cols,
              kBackwardTile.keys / kernel.shape().rows * kernel.shape().rows} {}

  /// Every query head of one head of keys, in order: dk and dv are sums over these.
  void run(std::size_t sequence, std::size_t kv_head) {
    const AttentionDims& d = dims_;
    start_ = sequence * d.seq_len;
    const auto keys = head_rows(input_.k, start_, kv_head, d.kv_heads, d.head_dim);
    const auto values = head_rows(input_.v, start_, kv_head, d.kv_heads, d.head_dim);
    kernel_.pack_a(along(keys, d.seq_len, d.head_dim), bytes_of(rooms_.key_rows));
    kernel_.pack_a(along(values, d.seq_len, d.head_dim), bytes_of(rooms_.value_rows));
    kernel_.pack_b(across(keys, d.seq_len, d.head_dim), bytes_of(rooms_.keys));
    std::fill_n(rooms_.dk, d.seq_len * head_stride(d), 0.0f);
    std::fill_n(rooms_.dv, d.seq_len * head_stride(d), 0.0f);
    const std::size_t group = d.heads / d.kv_heads;
    for (std::size_t head = kv_head * group; head < (kv_head + 1) * group; ++head) {
      for (std::size_t query = 0; query < d.seq_len; query += tile_.queries) {
        run_queries(head, {query, std::min(query + tile_.queries, d.seq_len)});
      }
    }
    scale_rows({rooms_.dk, d.seq_len, d.head_dim, head_stride(d)}, attention_scale(rule_, d),
               head_rows(gradient_.dk, start_, kv_head, d.kv_heads, d.head_dim));
    scale_rows({rooms_.dv, d.seq_len, d.head_dim, head_stride(d)}, 1.0f,
               head_rows(gradient_.dv, start_, kv_head, d.kv_heads, d.head_dim));
  }

 private:
  static std::byte* bytes_of(float* room) { return reinterpret_cast<std::byte*>(room); }

  /// What every tile of keys needs of the queries.
  void prepare(std::size_t head, TokenRange queries) {
    const AttentionDims& d = dims_;
    const std::size_t rows = queries.end - queries.begin;
    const std::size_t token = start_ + queries.begin;
    const auto q = head_rows(input_.q, token, head, d.heads, d.head_dim);
    const auto dout = head_rows(dout_, token, head, d.heads, d.head_dim);
    kernel_.pack_b(along(q, rows, d.head_dim), bytes_of(rooms_.query_cols));
    kernel_.pack_b(along(dout, rows, d.head_dim), bytes_of(rooms_.dout_cols));
    kernel_.pack_b(across(q, rows, d.head_dim), bytes_of(rooms_.queries));
    kernel_.pack_b(across(dout, rows, d.head_dim), bytes_of(rooms_.dout));
    row_dots(head_rows(out_, token, head, d.heads, d.head_dim), dout, rows, d.head_dim, rooms_.dot);
    const float* const log_sum_exp = log_sum_exp_.data() + head * d.tokens() + token;
    for (std::size_t r = 0; r < rows; ++r) rooms_.log_sum_exp[r] = log_sum_exp[r] * kLog2E;
    const std::size_t padding = round_to_lanes(rows) - rows;
    std::fill_n(rooms_.dot + rows, padding, 0.0f);
    std::fill_n(rooms_.log_sum_exp + rows, padding, 0.0f);
    std::fill_n(rooms_.dq, rows * head_stride(d), 0.0f);
  }

  void run_queries(std::size_t head, TokenRange queries) {
    const AttentionDims& d = dims_;
    prepare(head, queries);
    const AttentionMask mask{d, rule_, input_.segments, start_};
    slope_ = rule_.slope(head);
    const std::size_t panel = kernel_.shape().rows;
    const std::size_t begin = mask.first_key(queries.begin) / panel * panel;
    for (std::size_t key = begin; key < queries.end; key += tile_.keys) {
      const TokenRange keys{key, std::min(key + tile_.keys, queries.end)};
      run_keys(mask, queries, keys);
    }
    scale_rows({rooms_.dq, queries.end - queries.begin, d.head_dim, head_stride(d)},
               attention_scale(rule_, d),
               head_rows(gradient_.dq, start_ + queries.begin, head, d.heads, d.head_dim));
  }

  void run_keys(const AttentionMask& mask, TokenRange queries, TokenRange keys) {
    const PanelShape shape = kernel_.shape();
    // Queries before the first key see none of them: whole panels of these are left out.
    const std::size_t skipped =
        keys.begin <= queries.begin ? 0 : (keys.begin - queries.begin) / shape.cols * shape.cols;
    const std::size_t begin = queries.begin + skipped;
    const std::size_t rows = rounded_up(keys.end - keys.begin, shape.rows);
    const std::size_t cols = queries.end - begin;

    std::array<SeenCols, kBackwardTile.keys> seen{};
    std::array<std::size_t, kBackwardTile.keys> ends;
    mask.queries_ends(keys, ends.data());
    for (std::size_t r = 0; r < keys.end - keys.begin; ++r) {
      seen[r] = {std::max(keys.begin + r, begin) - begin,
                 std::max(std::min(ends[r], queries.end), begin) - begin};
    }
    const Tile tile{keys, {begin, queries.end}, skipped, queries.end - queries.begin, seen.data()};
    multiply_heads(tile, rooms_.key_rows, rooms_.query_cols, rooms_.logits);
    multiply_heads(tile, rooms_.value_rows, rooms_.dout_cols, rooms_.dlogits);
    if (rule_.bends_logits()) {
      finish_logits({rooms_.logits, rooms_.stride, tile.rows(), seen.data(),
                     attention_scale(rule_, dims_), rule_.softcap, slope_,
                     distance(keys.begin, begin), 1.0f});
    }
    const float inverse_softcap = rule_.softcap > 0.0f ? 1.0f / rule_.softcap : 0.0f;
    const WeightTile weights{bytes_of(rooms_.probabilities), rooms_.stride, kernel_.type()};
    const WeightTile gradients{bytes_of(rooms_.gradients), rooms_.stride, kernel_.type()};
    softmax_gradient_tile({rooms_.logits, rooms_.dlogits, rooms_.stride, weights, gradients, rows,
                           shape.padded_depth(cols), seen.data(), tile_scale(rule_, dims_) * kLog2E,
                           rooms_.log_sum_exp + skipped, rooms_.dot + skipped, inverse_softcap});
    sum_over_queries(tile, weights, rooms_.dout, rooms_.dv);
    sum_over_queries(tile, gradients, rooms_.queries, rooms_.dk);
    sum_over_keys(tile, gradients);
  }

  /// A tile of [keys, queries], whose queries are a part of those that were packed.
  struct Tile {
    TokenRange keys;
    TokenRange queries;
    std::size_t skipped;   ///< packed before the first
    std::size_t packed;    ///< in all
    const SeenCols* seen;  ///< of `queries`, by key

    [[nodiscard]] std::size_t rows() const { return keys.end - keys.begin; }
    [[nodiscard]] std::size_t cols() const { return queries.end - queries.begin; }
  };

  /// out: [keys, queries], products along the head.
  void multiply_heads(const Tile& tile, float* keys, float* queries, float* out) {
    const PanelShape shape = kernel_.shape();
    const std::size_t depth = dims_.head_dim;
    RowPanels panels{kernel_};
    for (std::size_t row = 0; row < tile.rows(); row += shape.rows) {
      const std::size_t count = std::min(shape.rows, tile.rows() - row);
      const auto cols = seen_by_panel(tile.seen, row, count, shape);
      if (cols.begin == cols.end) continue;
      panels.add({.a = panel_at(kernel_, keys, tile.keys.begin + row, depth),
                  .a_stride = 0,
                  .b = panel_at(kernel_, queries, tile.skipped + cols.begin, depth),
                  .m = shape.rows,
                  .n = rounded_up(cols.end - cols.begin, shape.cols),
                  .depth = depth,
                  .c = target(out + row * rooms_.stride + cols.begin, rooms_.stride, false)});
    }
    panels.multiply();
  }

  /// out: [seq_len, head_dim], the tile's keys of it, += weights · the queries' rows in `packed`.
  void sum_over_queries(const Tile& tile, const WeightTile& weights, float* packed, float* out) {
    const PanelShape shape = kernel_.shape();
    RowPanels panels{kernel_};
    for (std::size_t row = 0; row < tile.rows(); row += shape.rows) {
      const std::size_t count = std::min(shape.rows, tile.rows() - row);
      const auto cols = seen_by_panel(tile.seen, row, count, shape);
      if (cols.begin == cols.end) continue;
      const LeftOperand left = left_operand(kernel_, weights, {row, row + count}, cols,
                                            panel_at(kernel_, rooms_.panels, row, rooms_.stride));
      panels.add(sum_of(left, packed, {tile.skipped + cols.begin, tile.skipped + cols.end},
                        tile.packed, out + (tile.keys.begin + row) * head_stride(dims_)));
    }
    panels.multiply();
  }

  /// dq += gradientsᵀ · keys
  void sum_over_keys(const Tile& tile, const WeightTile& gradients) {
    const PanelShape shape = kernel_.shape();
    RowPanels panels{kernel_};
    for (std::size_t row = 0; row < tile.cols(); row += shape.rows) {
      const std::size_t count = std::min(shape.rows, tile.cols() - row);
      const std::size_t end = std::min(tile.queries.begin + row + count, tile.keys.end);
      if (end <= tile.keys.begin) continue;
      std::byte* const packed = panel_at(kernel_, rooms_.panels, row, rooms_.stride);
      kernel_.pack_a({gradients.data + row * size_of(gradients.type), gradients.stride, count,
                      end - tile.keys.begin, Neighbors::across_depth, gradients.type},
                     packed);
      panels.add(sum_of({packed, 0}, rooms_.keys, {tile.keys.begin, end}, dims_.seq_len,
                        rooms_.dq + (tile.skipped + row) * head_stride(dims_)));
    }
    panels.multiply();
  }

  /// out: [a row panel, head_dim] += weights · rows `range` of `panels`, which hold `whole`.
  [[nodiscard]] PanelBlock sum_of(const LeftOperand& weights, float* panels, TokenRange range,
                                  std::size_t whole, float* out) const {
    const PanelShape shape = kernel_.shape();
    return {.a = weights.data,
            .a_stride = weights.stride,
            .b = bytes_of(panels) + range.begin * shape.cols * size_of(kernel_.type()),
            .m = shape.rows,
            .n = rounded_up(dims_.head_dim, shape.cols),
            .depth = range.end - range.begin,
            .c = target(out, head_stride(dims_), true),
            .b_stride = shape.padded_depth(whole) * shape.cols};
  }

  [[nodiscard]] static PanelTarget target(float* data, std::size_t stride, bool add) {
    return {bytes_of(data), stride, ElementType::fp32, add, false, 1.0f};
  }

  const PanelKernel& kernel_;
  const AttentionDims& dims_;
  const AttentionRule& rule_;
  const AttentionInput& input_;
  const ConstElements& out_;
  std::span<const float> log_sum_exp_;
  const ConstElements& dout_;
  const AttentionGradient& gradient_;
  BackwardRooms rooms_;
  AttentionTileSize tile_;
  std::size_t start_ = 0;
  float slope_ = 0.0f;
};

}  // namespace

void attention_backward(const PanelKernel& kernel, const AttentionDims& dims,
                        const AttentionRule& rule, const AttentionInput& input,
                        const ConstElements& out, std::span<const float> log_sum_exp,
                        const ConstElements& dout, const AttentionGradient& gradient,
                        std::span<float> scratch, Team* team) {
  require_valid(rule, dims);
  run_tasks(team, dims.sequences * dims.kv_heads, [&](std::size_t task, std::size_t worker) {
    const auto room = worker_scratch(dims, scratch, worker);
    Backward backward{kernel, dims, rule, input, out, log_sum_exp, dout, gradient, room};
    backward.run(task / dims.kv_heads, task % dims.kv_heads);
  });
}

}  // namespace ballast::kernels

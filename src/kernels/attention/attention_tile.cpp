#include "kernels/attention/attention_tile.hpp"

#include <algorithm>
#include <cmath>

#include "kernels/lanes/lanes.hpp"

namespace ballast::kernels {

namespace {

/// Hands out pieces of a room that start on cache lines; without a room it only counts.
class Room {
 public:
  explicit Room(std::span<float> room) : room_{room} {
    const auto address = reinterpret_cast<std::uintptr_t>(room.data());
    used_ = (kLine - address % kLine) % kLine / sizeof(float);
  }

  float* take(std::size_t numel) {
    const std::size_t at = used_;
    used_ += rounded_up(numel, kLine / sizeof(float));
    return room_.data() == nullptr ? nullptr : room_.data() + at;
  }

  [[nodiscard]] std::size_t used() const { return used_; }
  /// With room for the way to the first cache line.
  [[nodiscard]] std::size_t needed() const { return used_ + kLine / sizeof(float); }

 private:
  static constexpr std::size_t kLine = 64;

  std::span<float> room_;
  std::size_t used_;
};

/// Rows of [seq_len, head_dim] once padded to whole panels of any kernel.
std::size_t padded(std::size_t tokens) { return tokens + kWidestPanel; }

ForwardRooms forward_rooms(const AttentionDims& dims, Room& room) {
  const std::size_t queries = std::min(kForwardTile.queries, padded(dims.seq_len));
  const std::size_t keys = std::min(kForwardTile.keys, padded(dims.seq_len));
  const std::size_t head = head_stride(dims);
  const std::size_t sequence = padded(dims.seq_len) * head;
  const std::size_t tile = padded(queries) * tile_stride(keys);
  ForwardRooms rooms{};
  rooms.keys = room.take(sequence);
  rooms.values = room.take(sequence);
  rooms.queries = room.take(padded(queries) * head);
  rooms.logits = room.take(tile);
  rooms.probabilities = room.take(tile);
  rooms.panels = room.take(tile);
  rooms.out = room.take(padded(queries) * head);
  rooms.max = room.take(queries);
  rooms.sum = room.take(queries * kLanes);
  rooms.stride = tile_stride(keys);
  return rooms;
}

BackwardRooms backward_rooms(const AttentionDims& dims, Room& room) {
  const std::size_t queries = std::min(kBackwardTile.queries, padded(dims.seq_len));
  const std::size_t keys = std::min(kBackwardTile.keys, padded(dims.seq_len));
  const std::size_t head = head_stride(dims);
  const std::size_t sequence = padded(dims.seq_len) * head;
  const std::size_t tile = padded(keys) * tile_stride(queries);
  BackwardRooms rooms{};
  rooms.key_rows = room.take(sequence);
  rooms.value_rows = room.take(sequence);
  rooms.keys = room.take(sequence);
  rooms.dk = room.take(sequence);
  rooms.dv = room.take(sequence);
  rooms.query_cols = room.take(padded(queries) * head);
  rooms.dout_cols = room.take(padded(queries) * head);
  rooms.queries = room.take(padded(queries) * head);
  rooms.dout = room.take(padded(queries) * head);
  rooms.dq = room.take(padded(queries) * head);
  rooms.logits = room.take(tile);
  rooms.dlogits = room.take(tile);
  rooms.probabilities = room.take(tile);
  rooms.gradients = room.take(tile);
  rooms.panels = room.take(tile);
  rooms.log_sum_exp = room.take(padded(queries));
  rooms.dot = room.take(padded(queries));
  rooms.stride = tile_stride(queries);
  return rooms;
}

std::size_t scratch_of_a_worker(const AttentionDims& dims) {
  Room forward{{}};
  Room backward{{}};
  static_cast<void>(forward_rooms(dims, forward));
  static_cast<void>(backward_rooms(dims, backward));
  return std::max(forward.needed(), backward.needed());
}

template <class Rooms>
Rooms checked(const Rooms& rooms, const Room& room, std::span<float> scratch) {
  if (room.used() > scratch.size()) {
    throw internal_error("attention needs {} floats of scratch and got {}", room.used(),
                         scratch.size());
  }
  return rooms;
}

}  // namespace

ForwardRooms forward_rooms(const AttentionDims& dims, std::span<float> scratch) {
  Room room{scratch};
  return checked(forward_rooms(dims, room), room, scratch);
}

BackwardRooms backward_rooms(const AttentionDims& dims, std::span<float> scratch) {
  Room room{scratch};
  return checked(backward_rooms(dims, room), room, scratch);
}

std::size_t attention_scratch_numel(const AttentionDims& dims, std::size_t workers) {
  return workers * scratch_of_a_worker(dims);
}

std::span<float> worker_scratch(const AttentionDims& dims, std::span<float> scratch,
                                std::size_t worker) {
  const std::size_t own = scratch_of_a_worker(dims);
  const std::size_t start = std::min(worker * own, scratch.size());
  return scratch.subspan(start, std::min(own, scratch.size() - start));
}

std::size_t AttentionMask::segment_begin(std::size_t token) const {
  if (segments_.empty()) return 0;
  const auto begin = std::ranges::lower_bound(segments_.first(token), segments_[token]);
  return static_cast<std::size_t>(begin - segments_.begin());
}

std::size_t AttentionMask::segment_end(std::size_t token) const {
  if (segments_.empty()) return seq_len_;
  const auto end = std::ranges::upper_bound(segments_.subspan(token), segments_[token]);
  return static_cast<std::size_t>(end - segments_.begin());
}

std::size_t AttentionMask::first_key(std::size_t query) const {
  return std::max(segment_begin(query), first_in_window(window_, query));
}

void AttentionMask::first_keys(TokenRange queries, std::size_t* first) const {
  std::size_t begin = 0;
  for (std::size_t q = queries.begin; q < queries.end; ++q) {
    const bool same = q != queries.begin && (segments_.empty() || segments_[q] == segments_[q - 1]);
    if (!same) begin = segment_begin(q);
    first[q - queries.begin] = std::max(begin, first_in_window(window_, q));
  }
}

void AttentionMask::queries_ends(TokenRange keys, std::size_t* end) const {
  std::size_t last = 0;
  for (std::size_t k = keys.begin; k < keys.end; ++k) {
    const bool same = k != keys.begin && (segments_.empty() || segments_[k] == segments_[k - 1]);
    if (!same) last = segment_end(k);
    end[k - keys.begin] = window_ == 0 ? last : std::min(last, k + window_);
  }
}

LeftOperand left_operand(const PanelKernel& kernel, const WeightTile& tile, TokenRange rows,
                         SeenCols cols, std::byte* panels) {
  const std::byte* const data =
      tile.data + (rows.begin * tile.stride + cols.begin) * size_of(tile.type);
  const std::size_t depth = cols.end - cols.begin;
  if (kernel.reads_rows(tile.stride, kernel.shape().padded_depth(depth))) {
    return {data, tile.stride};
  }
  kernel.pack_a(
      {data, tile.stride, rows.end - rows.begin, depth, Neighbors::along_depth, tile.type}, panels);
  return {panels, 0};
}

}  // namespace ballast::kernels

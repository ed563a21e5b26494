#include "formats/gguf/gguf_sink.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <optional>
#include <string>
#include <utility>

#include "base/error.hpp"
#include "formats/gguf/blocks/block_codec.hpp"
#include "formats/gguf/row_runs.hpp"
#include "storage/files.hpp"

namespace ballast::formats {

namespace {

static_assert(kGranule % 256 == 0, "granules are whole blocks");

/// Elements that are turned into blocks at a time: 1 MiB of fp32, and whole rows where a block
/// depends on its row.
std::size_t piece_of(const PlannedGgufTensor& planned) {
  constexpr std::size_t kPiece = std::size_t{1} << 18;
  const std::size_t columns = planned.tensor.columns();
  if (planned.importance.empty()) return kPiece;
  return std::max<std::size_t>(kPiece / columns, 1) * columns;
}

/// Whether a block of this type, where columns have an importance, is made of its row as well.
bool depends_on_row(BlockType type) {
  return layout_of(type).values == 32 && type != BlockType::q8_0;
}

/// As quantize says; `first`: the element of the tensor that `part` begins with.
std::optional<std::size_t> quantize_part(const PlannedGgufTensor& planned, std::size_t first,
                                         std::span<const float> part,
                                         std::span<std::uint8_t> bytes) {
  const BlockType type = planned.tensor.type;
  if (planned.importance.empty()) return quantize(type, part, bytes);
  const std::size_t columns = planned.tensor.columns();
  for (std::size_t done = 0; done < part.size();) {
    const std::size_t column = (first + done) % columns;
    const std::size_t count = std::min(columns - column, part.size() - done);
    if (count != columns && depends_on_row(type)) {
      throw internal_error("elements {} to {} of '{}' are no whole row", first + done,
                           first + done + count, planned.tensor.name);
    }
    const auto lost = quantize_weighted(
        type, part.subspan(done, count), std::span{planned.importance}.subspan(column, count),
        bytes.subspan(stored_bytes(type, done), stored_bytes(type, count)));
    if (lost) return done + *lost;
    done += count;
  }
  return std::nullopt;
}

}  // namespace

std::uint64_t create_gguf(const GgufPlan& plan, const GgufText& text,
                          const std::filesystem::path& path) {
  const std::string head = plan.head(text);
  const std::uint64_t bytes = head.size() + plan.data_bytes();
  storage::require_free_space(path.parent_path(), bytes);
  storage::create_range_file(path, head, bytes);
  if (plan.rope_factors().empty()) return head.size();
  const auto factors = std::as_bytes(plan.rope_factors());
  std::vector<std::uint8_t> stored(factors.size());
  std::memcpy(stored.data(), factors.data(), stored.size());
  storage::RangeFile file{path, bytes};
  file.write(head.size() + plan.rope_factors_begin(), stored);
  file.finish();
  return head.size();
}

GgufSink::GgufSink(const GgufPlan& plan, std::uint64_t data_begin, std::filesystem::path path)
    : plan_{&plan},
      data_begin_{data_begin},
      file_{std::move(path), data_begin + plan.data_bytes()} {}

std::size_t GgufSink::granules_together(const model::ParameterInfo& tensor) const {
  const PlannedGgufTensor& planned = plan_->tensor(tensor.name);
  if (planned.importance.empty() || !depends_on_row(planned.tensor.type)) return 1;
  return std::lcm(planned.tensor.columns(), std::uint64_t{kGranule}) / kGranule;
}

void GgufSink::fill_blocks(const PlannedGgufTensor& planned, std::size_t first,
                           std::span<const float> part) {
  const GgufTensor& stored = planned.tensor;
  blocks_.resize(stored_bytes(stored.type, part.size()));
  const auto lost = quantize_part(planned, first, part, blocks_);
  if (!lost) return;
  const std::string what =
      fmt::format("'{}': element {} of tensor '{}' is {}", file_.path().string(), first + *lost,
                  stored.name, part[*lost]);
  if (!std::isfinite(part[*lost])) {
    throw data_error("{}: a model with such weights is not exported", what);
  }
  throw data_error("{}, which no block of {} holds: export as bf16 or f32", what,
                   name_of(stored.type));
}

void GgufSink::write(const model::ParameterInfo& tensor, GranuleRange range,
                     std::span<const float> values) {
  const PlannedGgufTensor& planned = plan_->tensor(tensor.name);
  const GgufTensor& stored = planned.tensor;
  const std::size_t columns = tensor.shape.size() == 1 ? 1 : stored.columns();
  const bool is_shifted = tensor.role == model::TensorRole::gain && plan_->gain_offset() != 0.0f;
  std::size_t first = range.first_element();
  values = values.first(std::min(values.size(), tensor.numel - first));
  std::vector<float> shifted;
  while (!values.empty()) {
    auto part = values.first(std::min(piece_of(planned), values.size()));
    values = values.subspan(part.size());
    if (is_shifted) {
      shifted.assign(part.begin(), part.end());
      for (float& gain : shifted) gain += plan_->gain_offset();
      part = shifted;
    }
    fill_blocks(planned, first, part);
    for_each_run(planned.rows, columns, first, part.size(), [&](const RowRun& run) {
      const auto blocks = std::span{blocks_}.subspan(stored_bytes(stored.type, run.first),
                                                     stored_bytes(stored.type, run.count));
      file_.write(data_begin_ + stored.begin + stored_bytes(stored.type, run.first_in_file),
                  blocks);
    });
    first += part.size();
    written_ += part.size();
  }
}

}  // namespace ballast::formats

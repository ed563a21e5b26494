#include "formats/gguf/gguf_sink.hpp"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include "base/error.hpp"
#include "formats/gguf/blocks/block_codec.hpp"
#include "formats/gguf/row_runs.hpp"
#include "storage/files.hpp"

namespace ballast::formats {

namespace {

static_assert(kGranule % 256 == 0, "granules are whole blocks");

/// As much as is turned into blocks at a time.
constexpr std::size_t kPieceGranules = 256;

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

void GgufSink::write(const model::ParameterInfo& tensor, GranuleRange range,
                     std::span<const float> values) {
  const auto& [stored, rows] = plan_->tensor(tensor.name);
  std::size_t first = range.first_element();
  values = values.first(std::min(values.size(), tensor.numel - first));
  std::vector<float> shifted;
  while (!values.empty()) {
    auto part = values.first(std::min(kPieceGranules * kGranule, values.size()));
    values = values.subspan(part.size());
    if (tensor.role == model::TensorRole::gain && plan_->gain_offset() != 0.0f) {
      shifted.assign(part.begin(), part.end());
      for (float& gain : shifted) gain += plan_->gain_offset();
      part = shifted;
    }
    blocks_.resize(stored_bytes(stored.type, part.size()));
    if (const auto lost = quantize(stored.type, part, blocks_)) {
      throw data_error(
          "'{}': element {} of tensor '{}' is {}, which no block of {} holds: export as bf16 or "
          "f32",
          file_.path().string(), first + *lost, stored.name, part[*lost], name_of(stored.type));
    }
    const std::size_t columns = tensor.shape.size() == 1 ? 1 : stored.columns();
    for_each_run(rows, columns, first, part.size(), [&](const RowRun& run) {
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

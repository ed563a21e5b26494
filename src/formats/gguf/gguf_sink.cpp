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

void create_gguf(const GgufPlan& plan, const std::filesystem::path& path) {
  storage::require_free_space(path.parent_path(), plan.total_bytes());
  storage::create_range_file(path, plan.head(), plan.total_bytes());
  if (plan.rope_factors().empty()) return;
  const auto factors = std::as_bytes(plan.rope_factors());
  std::vector<std::uint8_t> bytes(factors.size());
  std::memcpy(bytes.data(), factors.data(), bytes.size());
  storage::RangeFile file{path, plan.total_bytes()};
  file.write(plan.rope_factors_begin(), bytes);
  file.finish();
}

GgufSink::GgufSink(const GgufPlan& plan, std::filesystem::path path)
    : plan_{&plan}, file_{std::move(path), plan.total_bytes()} {}

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
      file_.write(stored.begin + stored_bytes(stored.type, run.first_in_file), blocks);
    });
    first += part.size();
    written_ += part.size();
  }
}

}  // namespace ballast::formats

#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "formats/gguf/gguf_sink.hpp"
#include "formats/huggingface/written_tensors.hpp"
#include "model/parameters.hpp"

namespace ballast::test {

/// A model that says for how long texts it is made, as files demand.
inline model::ModelConfig with_context(model::ModelConfig config) {
  if (config.context == 0) config.context = 64;
  return config;
}

/// Writes a model whose tensors' values follow from their names, granules at a time, or as many
/// more as the file wants together.
inline void write_gguf(const model::ModelConfig& config, const std::filesystem::path& path,
                       formats::GgufFileType type = formats::GgufFileType::f32,
                       std::size_t granules_a_time = 3,
                       const formats::GgufImportance& importance = {}) {
  const model::ParameterTable table{config};
  const formats::GgufPlan plan{with_context(config), table, type, importance};
  const auto begin = formats::create_gguf(plan, {.name = "a name"}, path);
  formats::GgufSink sink{plan, begin, path};
  for (const auto& row : table.parameters()) {
    auto values = WrittenTensors::values_of(row.name, row.numel);
    values.resize(padded_numel(row.numel), 9.0f);  // padding goes nowhere
    const std::size_t together = sink.granules_together(row);
    const std::size_t most = (granules_a_time + together - 1) / together * together;
    for (std::size_t first = 0; first < row.granules(); first += most) {
      const std::size_t count = std::min(most, row.granules() - first);
      sink.write(row, {first, count},
                 std::span{values}.subspan(first * kGranule, count * kGranule));
    }
  }
  sink.finish();
  EXPECT_EQ(sink.written(), plan.total_parameters());
}

}  // namespace ballast::test

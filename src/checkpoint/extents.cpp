#include "checkpoint/extents.hpp"

#include <algorithm>
#include <string>

#include "base/error.hpp"

namespace ballast::checkpoint {

namespace {

/// A row as a run in canonical order.
GranuleRange canonical(const model::ParameterTable& table, const Row& row,
                       const std::filesystem::path& path) {
  if (row.tensor >= table.parameters().size()) {
    throw data_error("'{}' lists tensor {}; the model has {}", path.string(), row.tensor,
                     table.parameters().size());
  }
  const auto& parameter = table.parameters()[row.tensor];
  const std::size_t granules = parameter.granules();
  if (row.first_granule > granules || row.granules > granules - row.first_granule) {
    throw data_error("'{}' lists granules of tensor '{}' beyond its end", path.string(),
                     parameter.name);
  }
  return {parameter.first_granule + row.first_granule, row.granules};
}

bool continues(const Extent& before, const Extent& next) {
  return before.file == next.file && before.granules.end() == next.granules.first &&
         before.file_start + before.granules.count == next.file_start;
}

std::string tensor_at(const model::ParameterTable& table, std::size_t granule) {
  for (const auto& parameter : table.parameters()) {
    if (granule < parameter.first_granule + parameter.granules()) return parameter.name;
  }
  throw internal_error("the model has no granule {}", granule);
}

void require_complete(const model::ParameterTable& table, std::span<const Extent> extents,
                      std::span<const std::filesystem::path> paths) {
  std::size_t next = 0;
  for (const auto& extent : extents) {
    if (extent.granules.first < next) {
      throw data_error("'{}' holds a part of tensor '{}' that another row holds, too",
                       paths[extent.file].string(), tensor_at(table, extent.granules.first));
    }
    if (extent.granules.first > next) break;
    next = extent.granules.end();
  }
  if (next < table.total_granules()) {
    throw data_error("no file of checkpoint '{}' holds granule {} of the model (tensor '{}')",
                     paths.empty() ? "" : paths.front().parent_path().string(), next,
                     tensor_at(table, next));
  }
}

}  // namespace

ExtentMap::ExtentMap(const model::ParameterTable& table, std::span<const std::vector<Row>> rows,
                     std::span<const std::filesystem::path> paths) {
  for (std::size_t file = 0; file < rows.size(); ++file) {
    std::size_t file_start = 0;
    for (const Row& row : rows[file]) {
      const Extent extent{canonical(table, row, paths[file]), file, file_start};
      file_start += row.granules;
      if (extent.granules.count == 0) continue;
      if (!extents_.empty() && continues(extents_.back(), extent)) {
        extents_.back().granules.count += extent.granules.count;
      } else {
        extents_.push_back(extent);
      }
    }
  }
  std::ranges::sort(extents_, {}, [](const Extent& extent) { return extent.granules.first; });
  require_complete(table, extents_, paths);
}

std::vector<Extent> ExtentMap::find(GranuleRange wanted) const {
  std::vector<Extent> found;
  auto extent = std::ranges::partition_point(
      extents_, [&](const Extent& e) { return e.granules.end() <= wanted.first; });
  for (; extent != extents_.end() && extent->granules.first < wanted.end(); ++extent) {
    const std::size_t first = std::max(wanted.first, extent->granules.first);
    const std::size_t end = std::min(wanted.end(), extent->granules.end());
    found.push_back({{first, end - first},
                     extent->file,
                     extent->file_start + (first - extent->granules.first)});
  }
  return found;
}

}  // namespace ballast::checkpoint

#include "report/probe_table.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "storage/allowance.hpp"

namespace ballast::report {

namespace {

/// Lists beside those of "spectrum".
constexpr std::array kStreamLists{"attention_logit", "update", "rms", "kurtosis"};

constexpr int kDigits = 4;

/// Over blocks, of numbers and nulls.
bool is_numeric(const storage::Json& list) {
  return list.is_array() && std::ranges::all_of(list, [](const storage::Json& value) {
           return value.is_number() || value.is_null();
         });
}

/// [[re, im], ...] as [re, im, ...], which takes less room; the largest distance from 0 goes to
/// `radius`. Pairs that are not finite are left out.
storage::Json flattened(const storage::Json& eigenvalues, double& radius) {
  storage::Json flat = storage::Json::array();
  for (const auto& z : eigenvalues) {
    if (!z.is_array() || z.size() != 2) continue;
    const double re = storage::number_or_nan(z[0]);
    const double im = storage::number_or_nan(z[1]);
    const double distance = std::hypot(re, im);
    if (!std::isfinite(distance)) continue;
    radius = std::max(radius, distance);
    flat.push_back(short_number(re, kDigits));
    flat.push_back(short_number(im, kDigits));
  }
  return flat;
}

/// What a record's numbers and lists come to in memory, about; a record is as deep as parse_json
/// lets it be.
std::size_t bytes_of(const storage::Json& value) {
  constexpr std::size_t kBytes = 40;
  std::size_t bytes = kBytes;
  if (value.is_structured()) {
    for (const auto& part : value) bytes += bytes_of(part);
  }
  return bytes;
}

/// Of a source without a probe, here and on the page.
constexpr std::size_t kSourceBytes = 2048;

/// Cells of all heat maps of a source that a page carries at most, unless one column has more.
constexpr std::size_t kCells = std::size_t{1} << 19;

/// By block, the largest of the values of the probes [column.begin, column.end), from `row` on,
/// which moves behind them; NaN where none has one.
template <class Row>
std::vector<double> largest_of(const Row*& row, const Row* end, Stretch column) {
  std::vector<double> largest;
  for (; row != end && row->probe < column.end; ++row) {
    if (largest.size() < row->blocks.size()) largest.resize(row->blocks.size(), std::nan(""));
    for (std::size_t i = 0; i < row->blocks.size(); ++i) {
      largest[i] = std::fmax(largest[i], row->blocks[i]);
    }
  }
  return largest;
}

/// A row of cells for each block, a column for each stretch of probes.
template <class Row>
storage::Json rows_of(const std::vector<Row>& probes, const std::vector<Stretch>& columns) {
  std::size_t blocks = 0;
  for (const auto& probe : probes) blocks = std::max(blocks, probe.blocks.size());
  storage::Json rows = storage::Json::array();
  for (std::size_t block = 0; block < blocks; ++block) rows.push_back(storage::Json::array());
  const Row* row = probes.data();
  for (const auto column : columns) {
    const auto largest = largest_of(row, probes.data() + probes.size(), column);
    for (std::size_t block = 0; block < blocks; ++block) {
      rows[block].push_back(
          short_number(block < largest.size() ? largest[block] : std::nan(""), kDigits));
    }
  }
  return rows;
}

}  // namespace

void ProbesOfSource::add(std::uint64_t step, const storage::Json& probe) {
  steps_.push_back(step);
  for (const char* name : kStreamLists) {
    if (const auto list = probe.find(name); list != probe.end()) add_list(name, *list);
  }
  if (const auto spectrum = probe.find("spectrum");
      spectrum != probe.end() && spectrum->is_object()) {
    for (const auto& [name, list] : spectrum->items()) add_list(name, list);
  }
  if (const auto found = probe.find("eigenvalues"); found != probe.end() && found->is_array()) {
    add_spectrum(step, probe);
  }
}

void ProbesOfSource::add_list(const std::string& name, const storage::Json& list) {
  if (!is_numeric(list)) return;
  auto& rows = lists_[name];
  if (rows.empty() || rows.back().probe + 1 != steps_.size())
    rows.push_back({steps_.size() - 1, {}});
  auto& blocks = rows.back().blocks;
  for (const auto& value : list) blocks.push_back(storage::number_or_nan(value));
}

std::size_t ProbesOfSource::height() const {
  std::size_t height = 1;
  for (const auto& [name, rows] : lists_) {
    std::size_t blocks = 0;
    for (const auto& row : rows) blocks = std::max(blocks, row.blocks.size());
    height += blocks;
  }
  return height;
}

void ProbesOfSource::add_spectrum(std::uint64_t step, const storage::Json& probe) {
  Spectrum spectrum;
  storage::Json blocks = storage::Json::array();
  for (const auto& of_block : probe.at("eigenvalues")) {
    blocks.push_back(flattened(of_block, spectrum.radius));
  }
  storage::Json status = storage::Json::array();
  if (const auto found = probe.find("spectrum"); found != probe.end() && found->is_object()) {
    if (found->contains("status")) status = found->at("status");
  }
  spectrum.record = {{"step", step}, {"status", std::move(status)}, {"blocks", std::move(blocks)}};
  spectra_.push_back(std::move(spectrum));
}

storage::Json ProbesOfSource::to_json(std::size_t columns, std::size_t spectra) const {
  const auto parts =
      stretches(steps_.size(),
                std::clamp<std::size_t>(kCells / height(), 1, std::max<std::size_t>(columns, 1)));
  storage::Json steps = storage::Json::array();
  for (const auto part : parts) steps.push_back(steps_[part.begin]);
  storage::Json features = storage::Json::object();
  for (const auto& [name, rows] : lists_) features[name] = rows_of(rows, parts);
  storage::Json kept = storage::Json::array();
  for (const auto [begin, end] : stretches(spectra_.size(), spectra)) {
    const auto first = spectra_.begin() + static_cast<std::ptrdiff_t>(begin);
    const auto last = spectra_.begin() + static_cast<std::ptrdiff_t>(end);
    kept.push_back(std::max_element(first, last, [](const auto& a, const auto& b) {
                     return a.radius < b.radius;
                   })->record);
  }
  return {{"step", std::move(steps)},
          {"of", steps_.size()},
          {"features", std::move(features)},
          {"spectra", std::move(kept)},
          {"spectra_of", spectra_.size()}};
}

ProbeTable ProbeTable::read(const std::filesystem::path& file) {
  ProbeTable table;
  storage::Allowance allowance{file};
  std::size_t left_out = 0;
  table.unreadable = storage::read_log(file, [&](std::uint64_t step, const storage::Json& probe) {
    const std::string source = storage::text_at(probe, "source");
    const std::size_t bytes = bytes_of(probe) + (table.sources.contains(source) ? 0 : kSourceBytes);
    if (!allowance.take(bytes)) {
      ++left_out;
      return;
    }
    table.sources[source].add(step, probe);
    if (source == "live") table.risk.add(step, storage::number_at(probe, "risk"));
  });
  table.unreadable += left_out;
  return table;
}

}  // namespace ballast::report

#include "report/probe_table.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace ballast::report {

namespace {

/// Lists beside those of "spectrum".
constexpr std::array kStreamLists{"attention_logit", "update", "rms", "kurtosis"};

constexpr int kDigits = 4;

/// Over blocks, of numbers and nulls.
bool is_numeric(const Json& list) {
  return list.is_array() && std::ranges::all_of(list, [](const Json& value) {
           return value.is_number() || value.is_null();
         });
}

/// [[re, im], ...] as [re, im, ...], which takes less room; the largest distance from 0 goes to
/// `radius`. Pairs that are not finite are left out.
Json flattened(const Json& eigenvalues, double& radius) {
  Json flat = Json::array();
  for (const auto& z : eigenvalues) {
    if (!z.is_array() || z.size() != 2) continue;
    const double re = number_or_nan(z[0]);
    const double im = number_or_nan(z[1]);
    const double distance = std::hypot(re, im);
    if (!std::isfinite(distance)) continue;
    radius = std::max(radius, distance);
    flat.push_back(short_number(re, kDigits));
    flat.push_back(short_number(im, kDigits));
  }
  return flat;
}

/// The largest of a block's values over some probes; NaN if none has one.
double largest_of(const std::vector<std::vector<double>>& probes, Stretch column,
                  std::size_t block) {
  double largest = std::nan("");
  for (std::size_t i = column.begin; i < column.end; ++i) {
    if (block < probes[i].size()) largest = std::fmax(largest, probes[i][block]);
  }
  return largest;
}

}  // namespace

void ProbesOfSource::add(std::uint64_t step, const Json& probe) {
  steps_.push_back(step);
  for (const char* name : kStreamLists) {
    if (const auto list = probe.find(name); list != probe.end()) add_list(name, *list);
  }
  if (const auto spectrum = probe.find("spectrum");
      spectrum != probe.end() && spectrum->is_object()) {
    for (const auto& [name, list] : spectrum->items()) add_list(name, list);
  }
  for (auto& [name, probes] : lists_) probes.resize(steps_.size());
  if (const auto found = probe.find("eigenvalues"); found != probe.end() && found->is_array()) {
    add_spectrum(step, probe);
  }
}

void ProbesOfSource::add_list(const std::string& name, const Json& list) {
  if (!is_numeric(list)) return;
  auto& probes = lists_[name];
  probes.resize(steps_.size());
  for (const auto& value : list) probes.back().push_back(number_or_nan(value));
}

void ProbesOfSource::add_spectrum(std::uint64_t step, const Json& probe) {
  Spectrum spectrum;
  Json blocks = Json::array();
  for (const auto& of_block : probe.at("eigenvalues")) {
    blocks.push_back(flattened(of_block, spectrum.radius));
  }
  Json status = Json::array();
  if (const auto found = probe.find("spectrum"); found != probe.end() && found->is_object()) {
    if (found->contains("status")) status = found->at("status");
  }
  spectrum.record = {{"step", step}, {"status", std::move(status)}, {"blocks", std::move(blocks)}};
  spectra_.push_back(std::move(spectrum));
}

Json ProbesOfSource::rows_of(const std::vector<Rows>& probes,
                             const std::vector<Stretch>& columns) const {
  std::size_t blocks = 0;
  for (const auto& probe : probes) blocks = std::max(blocks, probe.size());
  Json rows = Json::array();
  for (std::size_t block = 0; block < blocks; ++block) {
    Json row = Json::array();
    for (const auto column : columns) {
      row.push_back(short_number(largest_of(probes, column, block), kDigits));
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

Json ProbesOfSource::to_json(std::size_t columns, std::size_t spectra) const {
  const auto parts = stretches(steps_.size(), columns);
  Json steps = Json::array();
  for (const auto part : parts) steps.push_back(steps_[part.begin]);
  Json features = Json::object();
  for (const auto& [name, probes] : lists_) features[name] = rows_of(probes, parts);
  Json kept = Json::array();
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
  table.unreadable = read_log(file, [&](std::uint64_t step, const Json& probe) {
    const std::string source = text_at(probe, "source");
    table.sources[source].add(step, probe);
    if (source == "live") table.risk.add(step, number_at(probe, "risk"));
  });
  return table;
}

}  // namespace ballast::report

#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "report/series.hpp"

namespace ballast::report {

/// Columns of a heat map, and pictures of eigenvalues, that a page carries at most.
inline constexpr std::size_t kColumns = 400;
inline constexpr std::size_t kSpectra = 40;

/// The probes of one source, "live" or "held_out".
class ProbesOfSource {
 public:
  void add(std::uint64_t step, const storage::Json& probe);

  /// {"step", "of", "features": {name: [row of each block or depth]}, "spectra": [...],
  /// "spectra_of"}. Of probes that fall into one column, a cell shows the largest value; of spectra
  /// in one stretch, the one with the largest eigenvalue is kept.
  [[nodiscard]] storage::Json to_json(std::size_t columns = kColumns,
                                      std::size_t spectra = kSpectra) const;

 private:
  /// A list over blocks, and the number of the probe that has it.
  struct Row {
    std::size_t probe;
    std::vector<double> blocks;
  };
  struct Spectrum {
    double radius = 0.0;
    storage::Json record;  ///< step, status by block, blocks: [[re, im, re, im, ...], ...]
  };

  void add_list(const std::string& name, const storage::Json& list);
  void add_spectrum(std::uint64_t step, const storage::Json& probe);
  /// Cells that a page has in one column.
  [[nodiscard]] std::size_t height() const;

  std::vector<std::uint64_t> steps_;
  std::map<std::string, std::vector<Row>> lists_;  ///< by name
  std::vector<Spectrum> spectra_;
};

/// What monitor.jsonl holds.
struct ProbeTable {
  std::map<std::string, ProbesOfSource> sources;
  Series risk;
  std::size_t unreadable = 0;

  [[nodiscard]] static ProbeTable read(const std::filesystem::path& file);
};

}  // namespace ballast::report

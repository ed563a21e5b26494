#include "checkpoint/damage.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "base/error.hpp"
#include "checkpoint/granule_hashes.hpp"
#include "checkpoint/shard_file.hpp"

namespace ballast::checkpoint {

namespace {

std::uint64_t numel_of(const TensorEntry& tensor) {
  std::uint64_t numel = 1;
  for (const std::uint64_t extent : tensor.shape) numel *= extent;
  return numel;
}

/// A granule of a file that does not have its hash.
struct AlteredGranule {
  std::size_t tensor;
  std::uint64_t first_element;  ///< within the tensor
  std::uint64_t numel;
};

/// Compares the granules of a file with the hashes beside them.
class GranuleCheck {
 public:
  GranuleCheck(const ShardFile& file, const Manifest& manifest)
      : file_{&file}, manifest_{&manifest}, hashes_{file.hashes()} {
    for (auto& values : values_) values.resize(kGranule);
  }

  [[nodiscard]] std::optional<AlteredGranule> first_altered() {
    std::size_t at = 0;
    for (const Row& row : file_->rows()) {
      if (row.tensor >= manifest_->tensors.size()) return std::nullopt;
      const std::uint64_t numel = numel_of(manifest_->tensors[row.tensor]);
      for (std::uint64_t i = 0; i < row.granules && at < hashes_.size(); ++i, ++at) {
        const std::uint64_t first = (row.first_granule + i) * kGranule;
        if (first >= numel) return std::nullopt;
        const std::size_t counted = std::min<std::uint64_t>(kGranule, numel - first);
        if (hash_at(at, counted) != hashes_[at]) return AlteredGranule{row.tensor, first, counted};
      }
    }
    return std::nullopt;
  }

 private:
  [[nodiscard]] Hash128 hash_at(std::size_t granule, std::size_t numel) {
    const auto read = [&](Part part) {
      if (granule >= file_->granules(part)) return std::span<float>{};
      const std::span values{values_[static_cast<std::size_t>(part)]};
      file_->read(part, {granule, 1}, values);
      return values;
    };
    return granule_hash({read(Part::master), read(Part::moment1), read(Part::moment2)}, 0, numel);
  }

  const ShardFile* file_;
  const Manifest* manifest_;
  std::vector<Hash128> hashes_;
  std::array<std::vector<float>, kParts.size()> values_;
};

}  // namespace

std::string place_of_damage(const std::filesystem::path& path, const Manifest& manifest) {
  try {
    const ShardFile file{path};
    if (const auto altered = GranuleCheck{file, manifest}.first_altered()) {
      return fmt::format("in tensor '{}', elements {} to {}",
                         manifest.tensors[altered->tensor].name, altered->first_element,
                         altered->first_element + altered->numel - 1);
    }
  } catch (const Error&) {
    // The table of contents is what cannot be read.
  }
  return "outside the values of its tensors: in its table of contents, its hashes or its padding";
}

}  // namespace ballast::checkpoint

#include "formats/safetensors/safetensors_writer.hpp"

#include <algorithm>
#include <utility>

#include "base/error.hpp"
#include "base/text.hpp"
#include "formats/float_codec.hpp"
#include "formats/safetensors/safetensors_index.hpp"
#include "storage/files.hpp"

namespace ballast::formats {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kPieceBytes = std::size_t{1} << 20;

}  // namespace

void create_safetensors(const SafetensorsPlan& plan, const fs::path& folder) {
  storage::require_free_space(folder, plan.total_bytes() + plan.index().size());
  for (const auto& file : plan.files()) {
    storage::create_range_file(folder / file.name, file.head, file.bytes);
  }
  if (plan.index().empty()) return;
  storage::write_text_atomically(folder / kSafetensorsIndexName, plan.index());
}

SafetensorsWriter::SafetensorsWriter(const SafetensorsPlan& plan, fs::path folder)
    : plan_{&plan}, folder_{std::move(folder)}, files_(plan.files().size()) {}

storage::RangeFile& SafetensorsWriter::file(std::size_t number) {
  auto& file = files_[number];
  const PlannedFile& planned = plan_->files()[number];
  if (!file) file.emplace(folder_ / planned.name, planned.bytes);
  return *file;
}

void SafetensorsWriter::write(std::string_view name, std::uint64_t first,
                              std::span<const float> values) {
  const PlannedTensor& tensor = plan_->tensor(name);
  if (first > tensor.numel || values.size() > tensor.numel - first) {
    throw internal_error("tensor '{}' has {} elements; {} from {} on are written", excerpt(name),
                         tensor.numel, values.size(), first);
  }
  if (values.empty()) return;
  storage::RangeFile& file = this->file(tensor.file);
  const std::size_t element = size_of(plan_->type());
  const std::size_t piece = kPieceBytes / element;
  std::vector<std::uint8_t> bytes(std::min(piece, values.size()) * element);
  while (!values.empty()) {
    const auto part = values.first(std::min(piece, values.size()));
    const auto stored = std::span{bytes}.first(part.size() * element);
    if (const auto lost = encode(plan_->type(), part, stored)) {
      throw data_error(
          "'{}': element {} of tensor '{}' is {}, beyond what {} holds: export as bf16 or fp32",
          file.path().string(), first + *lost, excerpt(name), part[*lost], name_of(plan_->type()));
    }
    file.write(tensor.begin + first * element, stored);
    first += part.size();
    written_ += part.size();
    values = values.subspan(part.size());
  }
}

void SafetensorsWriter::finish() {
  for (auto& file : files_) {
    if (file) file->finish();
    file.reset();
  }
}

}  // namespace ballast::formats

#include "formats/safetensors/safetensors_writer.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <string>
#include <system_error>
#include <unistd.h>
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

std::string reason(int error) { return std::generic_category().message(error); }

Error cannot_write(const fs::path& path, std::uint64_t at, int error) {
  return data_error("cannot write '{}' at byte {}: {}; make room or choose another folder",
                    path.string(), at, reason(error));
}

void write_at(int descriptor, const fs::path& path, std::uint64_t at,
              std::span<const std::uint8_t> bytes) {
  while (!bytes.empty()) {
    const ssize_t written =
        ::pwrite(descriptor, bytes.data(), bytes.size(), static_cast<off_t>(at));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) throw cannot_write(path, at, errno);
    at += static_cast<std::uint64_t>(written);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

/// The head as written by hand, and room for the rest, which reads as zeros.
void create_file(const PlannedFile& file, const fs::path& path) {
  storage::OutputFile output{path};
  output.write(file.head);
  output.close();
  if (::truncate(path.c_str(), static_cast<off_t>(file.bytes)) != 0) {
    throw cannot_write(path, file.head.size(), errno);
  }
  storage::sync_file(path);
}

}  // namespace

void create_safetensors(const SafetensorsPlan& plan, const fs::path& folder) {
  storage::require_free_space(folder, plan.total_bytes() + plan.index().size());
  for (const auto& file : plan.files()) create_file(file, folder / file.name);
  if (plan.index().empty()) return;
  storage::write_text_atomically(folder / kSafetensorsIndexName, plan.index());
}

SafetensorsWriter::SafetensorsWriter(const SafetensorsPlan& plan, fs::path folder)
    : plan_{&plan}, folder_{std::move(folder)}, descriptors_(plan.files().size(), -1) {}

SafetensorsWriter::~SafetensorsWriter() {
  for (const int descriptor : descriptors_) {
    if (descriptor >= 0) ::close(descriptor);
  }
}

fs::path SafetensorsWriter::path_of(std::size_t file) const {
  return folder_ / plan_->files()[file].name;
}

int SafetensorsWriter::descriptor_of(std::size_t file) {
  int& descriptor = descriptors_[file];
  if (descriptor >= 0) return descriptor;
  const fs::path path = path_of(file);
  const std::uint64_t planned = plan_->files()[file].bytes;
  std::error_code error;
  const std::uint64_t bytes = fs::file_size(path, error);
  if (error) throw cannot_write(path, 0, error.value());
  if (bytes != planned) {
    throw data_error("'{}' has {} bytes, not the {} that are planned: give all writers one plan",
                     path.string(), bytes, planned);
  }
  descriptor = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (descriptor < 0) throw cannot_write(path, 0, errno);
  return descriptor;
}

void SafetensorsWriter::write(std::string_view name, std::uint64_t first,
                              std::span<const float> values) {
  const PlannedTensor& tensor = plan_->tensor(name);
  if (first > tensor.numel || values.size() > tensor.numel - first) {
    throw internal_error("tensor '{}' has {} elements; {} from {} on are written", excerpt(name),
                         tensor.numel, values.size(), first);
  }
  if (values.empty()) return;
  const int descriptor = descriptor_of(tensor.file);
  const std::size_t element = size_of(plan_->type());
  const std::size_t piece = kPieceBytes / element;
  std::vector<std::uint8_t> bytes(std::min(piece, values.size()) * element);
  while (!values.empty()) {
    const auto part = values.first(std::min(piece, values.size()));
    const auto stored = std::span{bytes}.first(part.size() * element);
    if (const auto lost = encode(plan_->type(), part, stored)) {
      throw data_error(
          "'{}': element {} of tensor '{}' is {}, beyond what {} holds: export as bf16 or fp32",
          path_of(tensor.file).string(), first + *lost, excerpt(name), part[*lost],
          name_of(plan_->type()));
    }
    write_at(descriptor, path_of(tensor.file), tensor.begin + first * element, stored);
    first += part.size();
    written_ += part.size();
    values = values.subspan(part.size());
  }
}

void SafetensorsWriter::finish() {
  for (std::size_t file = 0; file < descriptors_.size(); ++file) {
    const int descriptor = std::exchange(descriptors_[file], -1);
    if (descriptor < 0) continue;
    const int failed = ::fsync(descriptor) != 0 ? errno : 0;
    const int unclosed = ::close(descriptor) != 0 ? errno : 0;
    if (failed != 0 || unclosed != 0) {
      throw data_error("the disk did not take '{}': {}; choose another folder",
                       path_of(file).string(), reason(failed != 0 ? failed : unclosed));
    }
  }
}

}  // namespace ballast::formats

#include "checkpoint/check.hpp"

#include <algorithm>
#include <cstring>
#include <functional>
#include <span>
#include <string_view>

#include "base/checked_cast.hpp"
#include "base/error.hpp"
#include "checkpoint/file_check.hpp"
#include "comm/agree.hpp"

namespace ballast::checkpoint {

namespace {

/// The rows of the files that this rank has checked, as bytes for the others.
std::string encode(std::span<const std::vector<Row>> rows) {
  std::string bytes;
  const auto append = [&](const void* data, std::size_t size) {
    bytes.append(static_cast<const char*>(data), size);
  };
  for (const auto& of_file : rows) {
    const std::uint64_t count = of_file.size();
    append(&count, sizeof(count));
    append(of_file.data(), of_file.size() * sizeof(Row));
  }
  return bytes;
}

/// Takes the next file's rows off the front.
std::vector<Row> decode(std::string_view& bytes) {
  std::uint64_t count = 0;
  std::memcpy(&count, bytes.data(), sizeof(count));
  bytes.remove_prefix(sizeof(count));
  std::vector<Row> rows(count);
  if (count > 0) std::memcpy(rows.data(), bytes.data(), count * sizeof(Row));
  bytes.remove_prefix(count * sizeof(Row));
  return rows;
}

/// The message of an Error that `work` throws on any rank; empty if there is none. If it throws
/// UnknownFormat, all ranks throw it. Collective.
std::string damage_found(comm::Communicator& world, std::string_view what, std::size_t steps,
                         const std::function<void(std::size_t)>& work) {
  std::string own;
  comm::agree_stepwise(world, what, steps, [&](std::size_t step) {
    if (!own.empty()) return;
    try {
      work(step);
    } catch (const UnknownFormat&) {
      throw;
    } catch (const Error& error) {
      own = error.what();
    }
  });
  const auto texts = world.gather_texts(own, {"damage", what});
  const auto first = std::ranges::find_if(texts, [](const auto& text) { return !text.empty(); });
  if (first == texts.end()) return {};
  const bool unanimous =
      std::ranges::all_of(texts, [&](const auto& text) { return text == *first; });
  const auto rank = checked_cast<int>(first - texts.begin());
  return unanimous ? *first : fmt::format("[{}] {}", world.name(rank), *first);
}

/// The writers' files, then the tokenizer's, if there is one.
std::vector<FileEntry> all_files(const Manifest& manifest) {
  std::vector<FileEntry> files = manifest.files;
  if (manifest.tokenizer) files.push_back(*manifest.tokenizer);
  return files;
}

/// The files of one rank, checked one after the other.
class OwnFiles {
 public:
  OwnFiles(const Checked& checkpoint, std::size_t rank, std::size_t ranks)
      : checkpoint_{&checkpoint},
        files_{all_files(checkpoint.manifest)},
        next_{rank},
        stride_{ranks} {}

  void advance() {
    if (next_ >= files_.size()) return;
    const auto path = checkpoint_->folder / files_[next_].name;
    if (!current_) current_.emplace(path, files_[next_], checkpoint_->manifest);
    current_->advance();
    if (!current_->is_done()) return;
    current_.reset();
    if (next_ < checkpoint_->manifest.files.size()) rows_.push_back(ShardFile{path}.rows());
    next_ += stride_;
  }
  [[nodiscard]] std::span<const std::vector<Row>> rows() const { return rows_; }

 private:
  const Checked* checkpoint_;
  std::vector<FileEntry> files_;
  std::size_t next_;
  std::size_t stride_;
  std::optional<FileCheck> current_;
  std::vector<std::vector<Row>> rows_;
};

/// The steps of the rank that reads the most. A step reads one file only.
std::size_t steps_of(const Manifest& manifest, std::size_t ranks) {
  const auto files = all_files(manifest);
  std::vector<std::size_t> steps(ranks);
  for (std::size_t file = 0; file < files.size(); ++file) {
    // One more, for a file whose size is a multiple of the step: its end is found by reading on.
    steps[file % ranks] += steps_of_bytes(files[file].bytes) + 1;
  }
  return std::ranges::max(steps);
}

void gather_rows(comm::Communicator& world, std::span<const std::vector<Row>> own,
                 Checked& checkpoint) {
  const auto texts = world.gather_texts(encode(own), {"checkpoint", "rows of the files"});
  std::vector<std::string_view> left{texts.begin(), texts.end()};
  for (std::size_t file = 0; file < checkpoint.manifest.files.size(); ++file) {
    checkpoint.rows.push_back(decode(left[file % left.size()]));
  }
}

}  // namespace

CheckResult try_check(comm::Communicator& world, const std::filesystem::path& folder) {
  CheckResult result;
  Checked checkpoint{.folder = folder, .manifest = {}, .rows = {}};
  result.damage = damage_found(world, "checkpoint manifest", 1,
                               [&](std::size_t) { checkpoint.manifest = Manifest::read(folder); });
  if (!result.damage.empty()) return result;
  const auto ranks = checked_cast<std::size_t>(world.size());
  OwnFiles files{checkpoint, checked_cast<std::size_t>(world.rank()), ranks};
  result.damage = damage_found(world, "checkpoint files", steps_of(checkpoint.manifest, ranks),
                               [&](std::size_t) { files.advance(); });
  if (!result.damage.empty()) return result;
  gather_rows(world, files.rows(), checkpoint);
  result.checked = std::move(checkpoint);
  return result;
}

Checked check(comm::Communicator& world, const std::filesystem::path& folder) {
  CheckResult result = try_check(world, folder);
  if (!result.checked) throw data_error("{}", result.damage);
  return std::move(*result.checked);
}

void verify_files(const Manifest& manifest, const std::filesystem::path& folder) {
  for (const FileEntry& entry : all_files(manifest)) {
    FileCheck check{folder / entry.name, entry, manifest};
    while (!check.is_done()) check.advance();
  }
}

}  // namespace ballast::checkpoint

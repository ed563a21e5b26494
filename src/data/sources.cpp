#include "data/sources.hpp"

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <glob.h>
#include <memory>
#include <system_error>
#include <unistd.h>
#include <utility>

#include "base/error.hpp"
#include "storage/files.hpp"

namespace ballast::data {

namespace fs = std::filesystem;

namespace {

constexpr const char* kStandardInput = "-";

Source source_of(const fs::path& path) {
  const bool jsonl = path.extension() == ".jsonl";
  return {path, path.string(), jsonl ? SourceFormat::jsonl : SourceFormat::text};
}

bool hidden(const fs::path& path) { return path.filename().string().starts_with('.'); }

void add_folder(const fs::path& folder, std::vector<Source>& sources) {
  const std::size_t before = sources.size();
  try {
    fs::recursive_directory_iterator entry{folder};
    for (; entry != fs::recursive_directory_iterator{}; ++entry) {
      if (hidden(entry->path())) {
        entry.disable_recursion_pending();
      } else if (entry->is_regular_file()) {
        sources.push_back(source_of(entry->path()));
      }
    }
  } catch (const fs::filesystem_error& error) {
    throw data_error("cannot read folder '{}': {}", folder.string(), error.code().message());
  }
  if (sources.size() == before) throw data_error("folder '{}' holds no files", folder.string());
}

void add_path(const fs::path& path, std::vector<Source>& sources) {
  std::error_code ignored;  // reading it will tell
  if (fs::is_directory(path, ignored)) {
    add_folder(path, sources);
  } else {
    sources.push_back(source_of(path));
  }
}

void add_glob(const std::string& pattern, std::vector<Source>& sources) {
  glob_t found{};
  const std::unique_ptr<glob_t, decltype(&::globfree)> owner{&found, &::globfree};
  if (::glob(pattern.c_str(), 0, nullptr, &found) != 0) {
    throw data_error("no input file matches '{}'", pattern);
  }
  for (std::size_t i = 0; i < found.gl_pathc; ++i) add_path(found.gl_pathv[i], sources);
}

}  // namespace

std::vector<Source> find_sources(std::span<const std::string> inputs) {
  std::vector<Source> sources;
  for (const std::string& input : inputs) {
    std::error_code error;
    if (input == kStandardInput) {
      sources.push_back({"/dev/stdin", kStandardInput, SourceFormat::text});
    } else if (fs::exists(input, error)) {
      add_path(input, sources);
    } else {
      add_glob(input, sources);
    }
  }
  std::ranges::sort(sources, {}, &Source::name);
  const auto again = std::ranges::unique(sources, {}, &Source::name);
  sources.erase(again.begin(), again.end());
  return sources;
}

bool reads_once(const Source& source) {
  std::error_code ignored;  // reading it will tell
  return source.name == kStandardInput || fs::is_fifo(source.path, ignored) ||
         fs::is_character_file(source.path, ignored);
}

TemporaryFile::TemporaryFile(const fs::path& beside, const std::string& what) : path_{beside} {
  path_ += fmt::format(".{}-{}", what, ::getpid());
}

TemporaryFile::TemporaryFile(TemporaryFile&& other) noexcept
    : path_{std::exchange(other.path_, {})} {}

TemporaryFile::~TemporaryFile() {
  std::error_code ignored;
  if (!path_.empty()) fs::remove(path_, ignored);
}

void TemporaryFile::replace(const fs::path& target) {
  storage::sync_file(path_);
  std::error_code error;
  fs::rename(path_, target, error);
  if (error) throw data_error("cannot write '{}': {}", target.string(), error.message());
  path_.clear();
  storage::sync_folder(target.has_parent_path() ? target.parent_path() : ".");
}

void spool(Source& source, const TemporaryFile& copy) {
  storage::InputFile input{source.path, storage::Inputs::any};
  std::ofstream output{copy.path(), std::ios::binary};
  std::vector<char> piece(std::size_t{1} << 16);
  for (std::size_t got = piece.size(); got == piece.size() && output;) {
    got = input.read(piece);
    output.write(piece.data(), static_cast<std::streamsize>(got));
  }
  output.close();
  if (!output) {
    throw data_error("cannot keep the input '{}' in '{}': {}", source.name, copy.path().string(),
                     std::generic_category().message(errno));
  }
  source.path = copy.path();
}

}  // namespace ballast::data

#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace ballast::data {

enum class SourceFormat {
  text,  ///< the file's bytes, one document
  jsonl  ///< a JSON object a line: {"text": "...", "weight": 0.5}; each is a document
};

/// One file of a corpus.
struct Source {
  std::filesystem::path path;  ///< where it is read
  std::string name;            ///< what a person calls it
  SourceFormat format = SourceFormat::text;
};

/// The files that `inputs` name, sorted by name, each once. An input is a file, a folder (all
/// files below it, hidden ones left out), a glob, or "-" for standard input. A data Error names an
/// input that matches nothing.
[[nodiscard]] std::vector<Source> find_sources(std::span<const std::string> inputs);

/// A file to read more than once: pipes and standard input cannot be.
[[nodiscard]] bool reads_once(const Source& source);

/// A file that goes away with its owner, unless it has been renamed to what it was made for.
class TemporaryFile {
 public:
  /// `<beside>.<what>-PID`: in the folder that will hold `beside`.
  TemporaryFile(const std::filesystem::path& beside, const std::string& what);
  ~TemporaryFile();
  TemporaryFile(TemporaryFile&& other) noexcept;
  TemporaryFile& operator=(TemporaryFile&&) = delete;
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  /// Syncs the file and renames it to `target`, which it replaces in one step.
  void replace(const std::filesystem::path& target);

 private:
  std::filesystem::path path_;
};

/// Copies a source that can be read only once into `copy`, and lets it read from there.
void spool(Source& source, const TemporaryFile& copy);

}  // namespace ballast::data

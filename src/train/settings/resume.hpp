#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <utility>

namespace ballast::train {

/// Where a run starts: from fresh weights, from the newest whole checkpoint of its folder (from
/// fresh weights if there is none), or from one given checkpoint.
class Resume {
 public:
  enum class From { nothing, newest, checkpoint };

  static Resume never() { return {From::nothing, {}}; }
  static Resume newest() { return {From::newest, {}}; }
  static Resume from_path(std::filesystem::path path) {
    return {From::checkpoint, std::move(path)};
  }
  /// "false", "true" or a path in one line; nothing for any other text. A usage Error as
  /// read_path_word throws it.
  static std::optional<Resume> parse(const std::string& text);

  [[nodiscard]] From from() const { return from_; }
  /// The given checkpoint, or a run directory; empty unless from() is `checkpoint`.
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  /// As parse reads it.
  [[nodiscard]] std::string name() const;

 private:
  Resume(From from, std::filesystem::path path) : from_{from}, path_{std::move(path)} {}

  From from_;
  std::filesystem::path path_;
};

}  // namespace ballast::train

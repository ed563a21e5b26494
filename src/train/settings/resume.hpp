#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <utility>

namespace ballast::train {

/// What a run goes on from: nothing, the newest whole checkpoint of its folder (or a fresh start
/// where there is none), or one checkpoint.
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
  /// Of the checkpoint to go on from, or a run directory; empty of the others.
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  /// As parse reads it.
  [[nodiscard]] std::string name() const;

 private:
  Resume(From from, std::filesystem::path path) : from_{from}, path_{std::move(path)} {}

  From from_;
  std::filesystem::path path_;
};

}  // namespace ballast::train

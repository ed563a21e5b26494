#pragma once

#include <optional>
#include <string>
#include <utility>

#include "base/option.hpp"

namespace ballast::train {

/// Whether a key may change when a run resumes from a checkpoint.
enum class OnResume {
  same,       ///< part of the training's identity: kept in manifests, another value is refused
  kept,       ///< kept in manifests, for programs that read a checkpoint alone; it may change
  free,       ///< it may change; the log reports it
  unreported  ///< it may change, and the log does not report it: for example run.dir
};

/// What it means if a checkpoint lacks a key.
class Absence {
 public:
  /// Every version kept the key: a checkpoint without it is damaged.
  static Absence damage() { return Absence{std::nullopt}; }
  /// Versions before the key behaved as this value of it says.
  static Absence means(std::string value) { return Absence{std::move(value)}; }

  [[nodiscard]] const std::optional<std::string>& value() const { return value_; }

 private:
  explicit Absence(std::optional<std::string> value) : value_{std::move(value)} {}

  std::optional<std::string> value_;
};

/// The part of a key in the identity of a training. There is no default: each row decides.
class Role {
 public:
  static Role same(Absence absence) { return {OnResume::same, std::move(absence)}; }
  static Role kept(Absence absence) { return {OnResume::kept, std::move(absence)}; }
  static Role free() { return {OnResume::free, Absence::damage()}; }
  static Role unreported() { return {OnResume::unreported, Absence::damage()}; }

  [[nodiscard]] OnResume on_resume() const { return on_resume_; }
  [[nodiscard]] bool is_kept() const {
    return on_resume_ == OnResume::same || on_resume_ == OnResume::kept;
  }
  /// For a key that is kept: what it means if a checkpoint lacks it.
  [[nodiscard]] const Absence& absence() const { return absence_; }

 private:
  Role(OnResume on_resume, Absence absence) : on_resume_{on_resume}, absence_{std::move(absence)} {}

  OnResume on_resume_;
  Absence absence_;
};

/// The program that reads a key of finished runs.
enum class Reader { nobody, calibration };

/// A row of the table of keys: how a key is written and read, and its part in an identity.
struct Key {
  Option option;
  Role role;
  Reader reader = Reader::nobody;
};

/// A key that `ballast monitor calibrate` needs of every run.
[[nodiscard]] inline Key for_calibration(Key key) {
  key.reader = Reader::calibration;
  return key;
}

}  // namespace ballast::train

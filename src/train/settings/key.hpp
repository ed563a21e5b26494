#pragma once

#include <optional>
#include <string>
#include <utility>

#include "base/option.hpp"

namespace ballast::train {

/// What becomes of a key when a run goes on from a checkpoint.
enum class OnResume {
  same,   ///< part of the training's identity: kept in manifests, another value is refused
  kept,   ///< kept in manifests, for those who read a checkpoint alone; it may change
  free,   ///< it may change; the log says so
  unsaid  ///< of one run alone, as where it lies: no word about it
};

/// What it means that a checkpoint does not hold a key.
class Absence {
 public:
  /// Every version kept the key: a checkpoint without it is damaged.
  static Absence damage() { return Absence{std::nullopt}; }
  /// Versions before the key did what this value of it does.
  static Absence means(std::string value) { return Absence{std::move(value)}; }

  [[nodiscard]] const std::optional<std::string>& value() const { return value_; }

 private:
  explicit Absence(std::optional<std::string> value) : value_{std::move(value)} {}

  std::optional<std::string> value_;
};

/// What a key is to the identity of a training. There is no default: each row decides.
class Role {
 public:
  static Role same(Absence absence) { return {OnResume::same, std::move(absence)}; }
  static Role kept(Absence absence) { return {OnResume::kept, std::move(absence)}; }
  static Role free() { return {OnResume::free, Absence::damage()}; }
  static Role unsaid() { return {OnResume::unsaid, Absence::damage()}; }

  [[nodiscard]] OnResume on_resume() const { return on_resume_; }
  [[nodiscard]] bool is_kept() const {
    return on_resume_ == OnResume::same || on_resume_ == OnResume::kept;
  }
  /// Of a key that is kept: what stands for it in a checkpoint that lacks it.
  [[nodiscard]] const Absence& absence() const { return absence_; }

 private:
  Role(OnResume on_resume, Absence absence) : on_resume_{on_resume}, absence_{std::move(absence)} {}

  OnResume on_resume_;
  Absence absence_;
};

/// Who reads a key of finished runs besides people.
enum class Reader { nobody, calibration };

/// A row of the table of keys: how it is written and read, and what it is to an identity.
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

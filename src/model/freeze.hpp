#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ballast::model {

/// Which tensors of a model are frozen: they are read, but do not train. Named by patterns, as a
/// shell matches names: * stands for any text, ? for one character, [abc] for one of these.
class Freeze {
 public:
  /// Everything trains.
  static Freeze nothing() { return Freeze{{}}; }
  /// Nothing trains: for an evaluation, or a teacher.
  static Freeze everything() { return Freeze{{"*"}}; }
  /// Patterns with commas between them, or "none"; nothing for a text with an empty pattern.
  static std::optional<Freeze> parse(std::string_view text);

  [[nodiscard]] bool holds(const std::string& tensor) const;
  [[nodiscard]] const std::vector<std::string>& patterns() const { return patterns_; }
  /// As parse reads it.
  [[nodiscard]] std::string name() const;

  friend bool operator==(const Freeze&, const Freeze&) = default;

 private:
  explicit Freeze(std::vector<std::string> patterns) : patterns_{std::move(patterns)} {}

  std::vector<std::string> patterns_;
};

/// Whether one pattern matches the name of a tensor.
[[nodiscard]] bool is_match(const std::string& pattern, const std::string& tensor);

}  // namespace ballast::model

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "model/grouping.hpp"
#include "model/model_config.hpp"

namespace ballast::model {

/// Which blocks a user wants gathered together, before the model is known.
class Wrap {
 public:
  enum class By { block, count, size, whole };

  static Wrap block() { return {By::block, 0}; }
  static Wrap blocks(std::uint64_t n) { return {By::count, n}; }
  /// Consecutive blocks are joined until a unit has at least n parameters.
  static Wrap size(std::uint64_t n) { return {By::size, n}; }
  static Wrap whole() { return {By::whole, 0}; }
  /// "block", "blocks:N", "size:N" or "whole"; nothing for any other text.
  static std::optional<Wrap> parse(std::string_view text);

  /// The units of a model. A usage Error that names parallel.wrap for an N that no unit can have.
  [[nodiscard]] Grouping grouping(const ModelConfig& config) const;
  /// As parse reads it.
  [[nodiscard]] std::string name() const;

  friend bool operator==(const Wrap&, const Wrap&) = default;

 private:
  Wrap(By by, std::uint64_t n) : by_{by}, n_{n} {}

  By by_;
  std::uint64_t n_;
};

}  // namespace ballast::model

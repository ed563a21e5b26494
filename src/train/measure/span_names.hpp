#pragma once

#include <string>
#include <vector>

#include "base/profile.hpp"
#include "model/flop.hpp"
#include "model/parameters.hpp"

namespace ballast::train {

/// Calls the spans of a profile what people call them.
class SpanNames {
 public:
  /// `table` must outlive this.
  SpanNames(const model::ModelConfig& config, const model::ParameterTable& table);

  /// One span: "block 3", "gather block.3", "gate, up NT".
  [[nodiscard]] std::string one(const ProfileEvent& event) const;
  /// All spans of its kind: "block", "gather", "gate, up NT".
  [[nodiscard]] std::string kind(const ProfileEvent& event) const;
  /// "2048 x 1376 x 512 bf16" for a product, nothing otherwise.
  [[nodiscard]] static std::string shape(const ProfileEvent& event);

 private:
  /// The linear layers that a product can belong to, by its shape: "q, k, v, out".
  [[nodiscard]] std::string linears(const ProfileEvent& event) const;

  const model::ParameterTable* table_;
  std::vector<model::Linear> linears_;
};

}  // namespace ballast::train

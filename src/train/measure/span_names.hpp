#pragma once

#include <string>
#include <vector>

#include "base/profile.hpp"
#include "model/flop.hpp"
#include "model/parameters.hpp"

namespace ballast::train {

/// Names for the spans of a profile, as people know them.
class SpanNames {
 public:
  /// `table` must outlive this.
  SpanNames(const model::ModelConfig& config, const model::ParameterTable& table) {
    add(config, table);
  }
  /// Adds another model of the process, with the next number (ProfileEvent::model). Its spans have
  /// its name in front: "teacher block 3".
  void add(const model::ModelConfig& config, const model::ParameterTable& table);

  /// One span: "block 3", "gather block.3", "gate, up NT".
  [[nodiscard]] std::string one(const ProfileEvent& event) const;
  /// All spans of its kind: "block", "gather", "gate, up NT".
  [[nodiscard]] std::string kind(const ProfileEvent& event) const;
  /// "2048 x 1376 x 512 bf16" for a product, nothing otherwise.
  [[nodiscard]] static std::string shape(const ProfileEvent& event);

 private:
  struct Model {
    const model::ParameterTable* table;
    std::vector<model::Linear> linears;
    std::string prefix;  ///< "teacher ", or nothing
  };
  /// The linear layers that a product can belong to, by its shape: "q, k, v, out".
  [[nodiscard]] static std::string linears(const Model& model, const ProfileEvent& event);

  std::vector<Model> models_;
};

}  // namespace ballast::train

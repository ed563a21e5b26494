#include "model/step_program.hpp"

namespace ballast::model {

StepProgram training_program(const ModelConfig& config) {
  StepProgram program{{kRootUnit, Pass::forward, Gradient::none}};
  for (std::size_t layer = 0; layer < config.layers; ++layer) {
    program.push_back({1 + layer, Pass::forward, Gradient::none});
  }
  program.push_back({kRootUnit, Pass::backward, Gradient::partial});
  for (std::size_t layer = config.layers; layer-- > 0;) {
    program.push_back({1 + layer, Pass::backward, Gradient::complete});
  }
  program.push_back({kRootUnit, Pass::backward, Gradient::complete});
  return program;
}

StepProgram evaluation_program(const ModelConfig& config) {
  StepProgram program;
  for (const Visit& visit : training_program(config)) {
    if (visit.pass == Pass::forward) program.push_back(visit);
  }
  program.push_back({kRootUnit, Pass::forward, Gradient::none});
  return program;
}

}  // namespace ballast::model

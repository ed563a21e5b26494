#include "model/step_program.hpp"

namespace ballast::model {

StepProgram training_program(const ParameterTable& table) {
  StepProgram program{{kEmbeddingUnit, Pass::forward, Gradient::none}};
  for (std::size_t layer = 0; layer < table.layers(); ++layer) {
    program.push_back({table.unit_of_layer(layer), Pass::forward, Gradient::none});
  }
  program.push_back({table.head_unit(), Pass::backward,
                     table.ends_share_a_unit() ? Gradient::partial : Gradient::complete});
  for (std::size_t layer = table.layers(); layer-- > 0;) {
    const UnitId unit = table.unit_of_layer(layer);
    const bool last_visit = !table.is_end(unit) && layer == table.first_layer(unit);
    program.push_back({unit, Pass::backward, last_visit ? Gradient::complete : Gradient::partial});
  }
  program.push_back({kEmbeddingUnit, Pass::backward, Gradient::complete, false});
  return program;
}

StepProgram evaluation_program(const ParameterTable& table) {
  StepProgram program;
  for (const Visit& visit : training_program(table)) {
    if (visit.pass == Pass::forward) program.push_back(visit);
  }
  program.push_back({table.head_unit(), Pass::forward, Gradient::none});
  return program;
}

}  // namespace ballast::model

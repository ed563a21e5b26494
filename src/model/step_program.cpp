#include "model/step_program.hpp"

namespace ballast::model {

namespace {

void add_forward(const ParameterTable& table, Depth depth, StepProgram& program) {
  for (const UnitId unit : table.units_at(depth)) {
    program.push_back({unit, Pass::forward, Gradient::none, true, depth});
  }
}

void add_backward(const ParameterTable& table, Depth depth, StepProgram& program) {
  for (const UnitId id : table.units_at(depth)) {
    const UnitInfo& unit = table.unit(id);
    const Gradient gradient = !unit.trains           ? Gradient::none
                              : unit.lowest == depth ? Gradient::complete
                                                     : Gradient::partial;
    program.push_back({id, Pass::backward, gradient, depth != kEmbeddingDepth, depth});
  }
}

}  // namespace

StepProgram training_program(const ParameterTable& table) {
  StepProgram program;
  for (Depth depth = 0; depth < table.head_depth(); ++depth) add_forward(table, depth, program);
  const Depth lowest = table.lowest_trained();
  for (Depth depth = table.head_depth() + 1; depth-- > lowest;) add_backward(table, depth, program);
  return program;
}

StepProgram evaluation_program(const ParameterTable& table) {
  StepProgram program;
  for (Depth depth = 0; depth <= table.head_depth(); ++depth) add_forward(table, depth, program);
  return program;
}

}  // namespace ballast::model

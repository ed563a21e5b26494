#include "train/measure/span_names.hpp"

#include <fmt/format.h>
#include <utility>

#include "tensor/element.hpp"

namespace ballast::train {

void SpanNames::add(const model::ModelConfig& config, const model::ParameterTable& table) {
  const auto block = model::linears_of_block(config);
  Model model{&table, {block.begin(), block.end()}, {}};
  model.linears.push_back(model::head_of(config));
  if (!table.name().empty()) model.prefix = table.name() + " ";
  models_.push_back(std::move(model));
}

std::string SpanNames::linears(const Model& model, const ProfileEvent& event) {
  const auto& [m, n, k, type] = event.detail;
  // Forward: y [tokens, out] = x wᵀ; dx [tokens, in] = dy w; dw [out, in] = dyᵀ x.
  const std::size_t out = event.region == Region::product_nt   ? n
                          : event.region == Region::product_nn ? k
                                                               : m;
  const std::size_t in = event.region == Region::product_nt ? k : n;
  std::string names;
  for (const auto& linear : model.linears) {
    if (linear.out != out || linear.in != in) continue;
    names += fmt::format("{}{}", names.empty() ? "" : ", ", linear.name);
  }
  return names.empty() ? "product" : names;
}

std::string SpanNames::kind(const ProfileEvent& event) const {
  const Model& model = models_.at(event.model);
  if (!is_product(event.region)) return fmt::format("{}{}", model.prefix, name_of(event.region));
  return fmt::format("{}{} {}", model.prefix, linears(model, event),
                     name_of(event.region).substr(8));
}

std::string SpanNames::one(const ProfileEvent& event) const {
  switch (event.region) {
    case Region::step:
    case Region::block_forward:
    case Region::block_backward:
    case Region::recompute:
      return fmt::format("{} {}", kind(event), event.detail[0]);
    case Region::gather:
    case Region::room:
    case Region::reduce:
    case Region::replicate:
    case Region::optimizer:
      return fmt::format("{} {}", name_of(event.region),
                         models_.at(event.model).table->unit(event.detail[0]).name);
    default:
      return kind(event);
  }
}

std::string SpanNames::shape(const ProfileEvent& event) {
  if (!is_product(event.region)) return {};
  const auto& [m, n, k, type] = event.detail;
  return fmt::format("{} x {} x {} {}", m, n, k, name_of(static_cast<ElementType>(type)));
}

}  // namespace ballast::train

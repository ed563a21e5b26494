#include "train/first_fault.hpp"

#include <algorithm>

#include "base/checked_cast.hpp"
#include "base/granule.hpp"

namespace ballast::train {

namespace {

const model::ParameterInfo& tensor_at(const model::ParameterTable& table,
                                      const fsdp::Offender& offender) {
  const auto& rows = table.unit(offender.unit).rows;
  const auto offset = [&](std::size_t row) { return table.parameters()[row].offset; };
  const auto after = std::ranges::upper_bound(rows, offender.granule * kGranule, {}, offset);
  return table.parameters()[*std::prev(after)];
}

/// A text that sorts by phase, order and leaf: numbers of fixed width, then the words.
std::string entry(int phase, std::uint64_t order, std::size_t leaf, const std::string& words) {
  return fmt::format("{}{:020}{:020}{}", phase, order, leaf, words);
}
constexpr std::size_t kDigits = 41;

std::string own_entry(const comm::Communicator& world, const model::ParameterTable& table,
                      const std::optional<ForwardFault>& forward,
                      const std::optional<fsdp::Offender>& gradient) {
  if (forward) {
    return entry(0, 0, forward->leaf,
                 fmt::format("{} of the forward pass, on {}, leaf {}", forward->place.where,
                             world.label(world.rank()), forward->leaf));
  }
  if (gradient) {
    return entry(
        1, gradient->order, gradient->leaf,
        fmt::format("the gradient of {}, from {}, leaf {}", tensor_at(table, *gradient).name,
                    world.label(checked_cast<int>(gradient->rank)), gradient->leaf));
  }
  return {};
}

}  // namespace

std::string name_first_fault(comm::Communicator& world, const model::ParameterTable& table,
                             const std::optional<ForwardFault>& forward,
                             const std::optional<fsdp::Offender>& gradient) {
  auto entries = world.gather_texts(own_entry(world, table, forward, gradient), {"first fault"});
  std::erase_if(entries, [](const std::string& text) { return text.empty(); });
  if (entries.empty()) return "the norm of the gradient, too large to be squared";
  return std::ranges::min(entries).substr(kDigits);
}

}  // namespace ballast::train

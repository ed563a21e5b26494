#include "model/loss_sums.hpp"

#include <algorithm>
#include <cmath>

#include "base/error.hpp"

namespace ballast::model {

LossSums::LossSums(std::span<const std::string_view> names) : names_{names} {
  if (names.empty() || names.size() > kMostFigures) {
    throw internal_error("a loss has 1 to {} figures, not {}", kMostFigures, names.size());
  }
}

void LossSums::merge(const LossSums& other) {
  if (!std::ranges::equal(names_, other.names_)) {
    throw internal_error("sums of two losses are merged: '{}' and '{}'", fmt::join(names_, ", "),
                         fmt::join(other.names_, ", "));
  }
  for (std::size_t i = 0; i <= names_.size(); ++i) sums_[i].merge(other.sums_[i]);
  labels_ += other.labels_;
}

bool LossSums::is_finite() const {
  return std::ranges::all_of(sums_, [](const ExactSum& sum) { return sum.nonfinite() == 0; });
}

double LossSums::mean(std::size_t figure) const {
  const ExactSum& sum = numerator(figure);
  return weight() > 0.0 && sum.nonfinite() == 0 ? sum.value() / weight() : std::nan("");
}

double LossSums::mean(std::string_view name) const {
  const auto found = std::ranges::find(names_, name);
  if (found == names_.end()) return std::nan("");
  return mean(static_cast<std::size_t>(found - names_.begin()));
}

std::vector<LossFigure> LossSums::other_means() const {
  std::vector<LossFigure> means;
  for (std::size_t i = 1; i < names_.size(); ++i) means.push_back({names_[i], mean(i)});
  return means;
}

}  // namespace ballast::model

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/exact_sum.hpp"

namespace ballast::model {

/// A mean that a loss tells of, and what logs call it.
struct LossFigure {
  std::string_view name;
  double mean;
};

/// What a loss adds up over tokens: named numerators over one denominator, exact, so that they
/// merge over micro-batches and ranks in any order. The first is the loss itself. Where a
/// denominator is Σ weight over labels, the means are those over tokens; another loss may count
/// sequences or pairs there.
class LossSums {
 public:
  static constexpr std::size_t kMostFigures = 6;

  /// All zero. `names`: of the numerators, at most kMostFigures; they must outlive the sums, as the
  /// constant ones of a Loss do.
  explicit LossSums(std::span<const std::string_view> names);

  void add(std::size_t figure, double numerator) { sums_[figure + 1].add(numerator); }
  /// A label that counts, by its share of the denominator.
  void add_label(double weight) {
    sums_[0].add(weight);
    ++labels_;
  }
  /// An internal Error if the others are of another loss.
  void merge(const LossSums& other);

  [[nodiscard]] double weight() const { return sums_[0].value(); }
  [[nodiscard]] std::int64_t labels() const { return labels_; }
  [[nodiscard]] const ExactSum& numerator(std::size_t figure = 0) const {
    return sums_[figure + 1];
  }
  /// Whether all numbers that were added are finite.
  [[nodiscard]] bool is_finite() const;

  /// NaN where there is none: the denominator is not above 0, or a part of the sum is not finite.
  [[nodiscard]] double mean(std::size_t figure = 0) const;
  /// NaN also where the loss has no such figure.
  [[nodiscard]] double mean(std::string_view name) const;
  /// Of all figures but the loss itself.
  [[nodiscard]] std::vector<LossFigure> other_means() const;

  /// All of it as it merges over ranks: the sums, and the number of labels.
  [[nodiscard]] std::span<ExactSum> exact_sums() {
    return std::span{sums_}.first(1 + names_.size());
  }
  [[nodiscard]] std::int64_t& label_count() { return labels_; }

 private:
  std::span<const std::string_view> names_;
  std::array<ExactSum, 1 + kMostFigures> sums_{};  ///< the denominator, then the numerators
  std::int64_t labels_ = 0;
};

}  // namespace ballast::model

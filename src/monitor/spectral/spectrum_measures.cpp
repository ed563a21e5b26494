#include "monitor/spectral/spectrum_measures.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace ballast::monitor {

namespace {

constexpr double kExpandsAbove = 1.05;
constexpr double kNearUnitFrom = 0.90;
constexpr double kContractsBelow = 0.80;
constexpr double kReliableResidual = 0.1;
constexpr double kSmallestKeptShare = 0.5;

/// Counts eigenvalues by magnitude.
class Tally {
 public:
  void add(double magnitude) {
    ++count_;
    if (magnitude > kExpandsAbove) {
      ++expanding_;
    } else if (magnitude >= kNearUnitFrom) {
      ++near_unit_;
    } else if (magnitude < kContractsBelow) {
      ++contracting_;
    } else {
      ++middle_;
    }
  }

  [[nodiscard]] std::size_t count() const { return count_; }

  [[nodiscard]] SpectralMasses masses() const {
    const auto share = [&](std::size_t part) {
      return static_cast<double>(part) / static_cast<double>(count_);
    };
    return {.expanding = share(expanding_),
            .near_unit = share(near_unit_),
            .middle = share(middle_),
            .contracting = share(contracting_)};
  }

 private:
  std::size_t count_ = 0, expanding_ = 0, near_unit_ = 0, middle_ = 0, contracting_ = 0;
};

}  // namespace

void count_masses(std::span<const std::complex<double>> eigenvalues,
                  std::span<const double> residuals, SpectralFeatures& features) {
  Tally all;
  Tally kept;
  double sum = 0.0;
  for (std::size_t j = 0; j < eigenvalues.size(); ++j) {
    const double magnitude = std::abs(eigenvalues[j]);
    all.add(magnitude);
    if (residuals[j] <= kReliableResidual) kept.add(magnitude);
    sum += residuals[j];
    features.residual_max = std::max(features.residual_max, residuals[j]);
  }
  const auto count = static_cast<double>(all.count());
  features.masses = all.masses();
  features.kept_share = static_cast<double>(kept.count()) / count;
  features.filtered = features.kept_share < kSmallestKeptShare ? features.masses : kept.masses();
  features.residual_mean = sum / count;
}

double noise_radius(double residual, std::size_t rank, std::int64_t samples) {
  // The fit has used up the mean and r of the N samples: these are left to see noise in.
  const auto left = static_cast<double>(samples - 1 - static_cast<std::int64_t>(rank));
  return left > 0.0 ? std::sqrt(residual / left) : std::numeric_limits<double>::infinity();
}

}  // namespace ballast::monitor

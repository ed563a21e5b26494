#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace ballast::monitor {

/// The newest values of a signal.
class History {
 public:
  explicit History(std::size_t capacity) : capacity_{capacity} { values_.reserve(capacity); }

  void push(double value);
  void assign(std::span<const double> values);
  void clear() { values_.clear(); }

  /// Oldest first.
  [[nodiscard]] std::span<const double> values() const { return values_; }
  [[nodiscard]] bool is_full() const { return values_.size() == capacity_; }

 private:
  std::size_t capacity_;
  std::vector<double> values_;
};

/// The middle value, or the mean of the two middle ones, NaNs left out; NaN of none. At most 64
/// values.
[[nodiscard]] double median(std::span<const double> values);

/// How far `value` lies from the median of `values`, in units of 1.4826 times their median absolute
/// deviation (which estimates the standard deviation of normal values), but at least `least` each.
[[nodiscard]] double robust_z(double value, std::span<const double> values, double least);

}  // namespace ballast::monitor

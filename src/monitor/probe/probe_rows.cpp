#include "monitor/probe/probe_rows.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.hpp"

namespace ballast::monitor {

ProbeRows::ProbeRows(std::size_t layers, std::size_t dim, std::size_t capacity)
    : dim_{dim}, capacity_{capacity}, values_((layers + 1) * capacity * dim), logits_(layers) {
  ends_.reserve(capacity);
  clear();
}

void ProbeRows::clear() {
  count_ = 0;
  selected_ = {};
  ends_.clear();
  std::ranges::fill(logits_, -std::numeric_limits<float>::infinity());
}

void ProbeRows::select(std::span<const std::uint32_t> tokens) {
  if (count_ + tokens.size() > capacity_) {
    throw internal_error("a probe with room for {} tokens was given {} more after {}", capacity_,
                         tokens.size(), count_);
  }
  selected_ = tokens;
  count_ += tokens.size();
  if (!tokens.empty()) ends_.push_back(count_);
}

void ProbeRows::keep(std::size_t depth, std::span<const float> residual) {
  const std::size_t first = count_ - selected_.size();
  float* out = values_.data() + (depth * capacity_ + first) * dim_;
  for (const std::uint32_t token : selected_) {
    out = std::ranges::copy(residual.subspan(token * dim_, dim_), out).out;
  }
}

void ProbeRows::keep_logit(std::size_t layer, float largest) {
  if (std::isnan(logits_[layer])) return;
  if (!(largest <= logits_[layer])) logits_[layer] = largest;
}

}  // namespace ballast::monitor

#include "model/recompute.hpp"

#include "base/error.hpp"
#include "model/count_after.hpp"

namespace ballast::model {

RecomputePolicy RecomputePolicy::every(std::size_t n) {
  if (n == 0) {
    throw usage_error(
        "parallel.recompute = every:0 names no block: write none, or every:N with N from 1");
  }
  return {Recompute::full, n};
}

RecomputePolicy RecomputePolicy::parse(std::string_view text) {
  if (text == "none") return none();
  if (text == "full") return full();
  if (text == "selective" || text == "selective:attention") return attention();
  if (text == "selective:feed_forward") return feed_forward();
  if (const auto n = count_after("every:", text)) return every(*n);
  throw usage_error(
      "parallel.recompute = {} is not known: none, full, every:N, selective, selective:attention "
      "or selective:feed_forward",
      text);
}

std::string RecomputePolicy::name() const {
  switch (what_) {
    case Recompute::none:
      return "none";
    case Recompute::full:
      return stride_ == 1 ? "full" : fmt::format("every:{}", stride_);
    case Recompute::attention:
      return "selective:attention";
    case Recompute::feed_forward:
      return "selective:feed_forward";
  }
  return "?";
}

}  // namespace ballast::model

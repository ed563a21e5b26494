#include "model/recompute.hpp"

#include <utility>

#include "base/error.hpp"
#include "base/text.hpp"
#include "model/count_after.hpp"

namespace ballast::model {

namespace {

/// What the end of "every:N" names, which it is taken from; nothing named: everything.
Recompute take_part(std::string_view& text) {
  for (const auto& [ending, what] : {std::pair{":attention", Recompute::attention},
                                     std::pair{":feed_forward", Recompute::feed_forward}}) {
    if (!text.ends_with(ending)) continue;
    text.remove_suffix(std::string_view{ending}.size());
    return what;
  }
  return Recompute::full;
}

[[nodiscard]] std::string_view name_of(Recompute part) {
  return part == Recompute::attention ? "attention" : "feed_forward";
}

}  // namespace

RecomputePolicy RecomputePolicy::every(std::size_t n, Recompute what) {
  if (n == 0) {
    throw usage_error(
        "parallel.recompute = every:0{} names no block: write none, or every:N with N from 1",
        what == Recompute::full ? "" : fmt::format(":{}", name_of(what)));
  }
  return {what, n};
}

RecomputePolicy RecomputePolicy::parse(std::string_view text) {
  if (text == "none") return none();
  if (text == "full") return full();
  if (text == "selective" || text == "selective:attention") return attention();
  if (text == "selective:feed_forward") return feed_forward();
  std::string_view blocks = text;
  const Recompute what = take_part(blocks);
  if (const auto n = count_after("every:", blocks)) return every(*n, what);
  throw usage_error(
      "parallel.recompute = {} is not known: none, full, selective, selective:attention, "
      "selective:feed_forward, every:N, every:N:attention or every:N:feed_forward",
      excerpt(text));
}

std::string RecomputePolicy::name() const {
  switch (what_) {
    case Recompute::none:
      return "none";
    case Recompute::full:
      return stride_ == 1 ? "full" : fmt::format("every:{}", stride_);
    case Recompute::attention:
    case Recompute::feed_forward:
      return stride_ == 1 ? fmt::format("selective:{}", name_of(what_))
                          : fmt::format("every:{}:{}", stride_, name_of(what_));
  }
  return "?";
}

}  // namespace ballast::model

#include "model/recompute.hpp"

#include <optional>

#include "base/error.hpp"
#include "base/text.hpp"
#include "model/count_after.hpp"

namespace ballast::model {

namespace {

/// The sublayer that the end of "PREFIX:NAME" names, which is taken from it.
std::optional<SublayerKind> take_sublayer(std::string_view& text) {
  for (const SublayerKind kind : kSublayerKinds) {
    if (!text.ends_with(fmt::format(":{}", name_of(kind)))) continue;
    text.remove_suffix(name_of(kind).size() + 1);
    return kind;
  }
  return {};
}

/// Every way to write a policy.
std::string known_policies() {
  std::string selective = "none, full, selective";
  std::string every = ", every:N";
  for (const SublayerKind kind : kSublayerKinds) {
    selective += fmt::format(", selective:{}", name_of(kind));
    const bool is_last = kind == kSublayerKinds.back();
    every += fmt::format("{}every:N:{}", is_last ? " or " : ", ", name_of(kind));
  }
  return selective + every;
}

}  // namespace

RecomputePolicy RecomputePolicy::every(std::size_t n, Recompute what) {
  if (n == 0) {
    throw usage_error(
        "parallel.recompute = every:0{} names no block: write none, or every:N with N from 1",
        what.is_full() ? "" : fmt::format(":{}", name_of(what.sublayer())));
  }
  return {what, n};
}

RecomputePolicy RecomputePolicy::parse(std::string_view text) {
  if (text == "none") return none();
  if (text == "full") return full();
  if (text == "selective") return selective(SublayerKind::attention);
  std::string_view blocks = text;
  const auto sublayer = take_sublayer(blocks);
  if (sublayer && blocks == "selective") return selective(*sublayer);
  if (const auto n = count_after("every:", blocks)) {
    return every(*n, sublayer ? Recompute::of(*sublayer) : Recompute::full());
  }
  throw usage_error("parallel.recompute = {} is not known: {}", excerpt(text), known_policies());
}

std::string RecomputePolicy::name() const {
  if (what_.is_none()) return "none";
  if (what_.is_full()) return stride_ == 1 ? "full" : fmt::format("every:{}", stride_);
  return stride_ == 1 ? fmt::format("selective:{}", name_of(what_.sublayer()))
                      : fmt::format("every:{}:{}", stride_, name_of(what_.sublayer()));
}

}  // namespace ballast::model

#include "data/split_router.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.hpp"
#include "data/unicode/utf8.hpp"

namespace ballast::data {

SplitRouter::SplitRouter(SplitRule rule, double validation_fraction, CorpusTotals totals,
                         TextKind kind, SegmentSink& sink)
    : rule_{rule},
      totals_{totals},
      tail_start_{totals.length - static_cast<std::uint64_t>(std::llround(
                                      static_cast<double>(totals.length) * validation_fraction))},
      kind_{kind},
      sink_{sink},
      block_{kind == TextKind::ids ? kBlockIds : kBlockBytes} {}

bool SplitRouter::held_out(std::uint64_t document) const {
  if (totals_.documents < kHeldOutPeriod) return document + 1 == totals_.documents;
  return document % kHeldOutPeriod == kHeldOutPeriod - 1;
}

/// The segment that, by the rule, begins at run_end_; it may have moved back to a character's
/// start.
void SplitRouter::begin_run() {
  const std::uint64_t start = run_end_;
  if (rule_ == SplitRule::tail) {
    const bool train = start < tail_start_;
    run_end_ = train ? tail_start_ : std::numeric_limits<std::uint64_t>::max();
    sink_.begin_segment(train ? Split::train : Split::validation);
    return;
  }
  const std::uint64_t block = start / block_;
  const bool train = block % kHeldOutPeriod != kHeldOutPeriod - 1;
  const std::uint64_t held_out = block / kHeldOutPeriod * kHeldOutPeriod + kHeldOutPeriod - 1;
  run_end_ = (train ? held_out : held_out + 1) * block_;
  sink_.begin_segment(train ? Split::train : Split::validation);
}

void SplitRouter::begin_document(float weight) {
  if (rule_ == SplitRule::documents) {
    if (held_out(documents_)) {
      sink_.begin_segment(Split::validation);
    } else {
      sink_.continue_segment(Split::train);
    }
  } else if (position_ >= run_end_) {
    begin_run();
  }
  ++documents_;
  sink_.begin_document(weight);
}

void SplitRouter::text(std::string_view piece) {
  while (!piece.empty()) {
    if (rule_ == SplitRule::documents) return sink_.text(piece);
    if (position_ >= run_end_) begin_run();
    std::size_t size = std::min<std::uint64_t>(piece.size(), run_end_ - position_);
    if (kind_ == TextKind::utf8) size = character_start(piece, size);
    if (size > 0) sink_.text(piece.substr(0, size));
    position_ += size;
    piece.remove_prefix(size);
    if (!piece.empty()) begin_run();
  }
}

void SplitRouter::ids(std::span<const std::int32_t> piece) {
  while (!piece.empty()) {
    if (rule_ == SplitRule::documents) return sink_.ids(piece);
    if (position_ >= run_end_) begin_run();
    const std::size_t size = std::min<std::uint64_t>(piece.size(), run_end_ - position_);
    sink_.ids(piece.first(size));
    position_ += size;
    piece = piece.subspan(size);
  }
}

std::string describe(SplitRule rule, double validation_fraction, TextKind kind) {
  const bool ids = kind == TextKind::ids;
  const std::string_view unit = ids ? "token ids" : "bytes";
  switch (rule) {
    case SplitRule::blocks:
      return fmt::format("blocks of {} {}; block i is held out when i mod {} = {}",
                         ids ? kBlockIds : kBlockBytes, unit, kHeldOutPeriod, kHeldOutPeriod - 1);
    case SplitRule::tail:
      return fmt::format("the last {} of the {} is held out", validation_fraction, unit);
    case SplitRule::documents:
      return fmt::format(
          "documents; document i is held out when i mod {} = {}, or the last of fewer; the others "
          "are one segment",
          kHeldOutPeriod, kHeldOutPeriod - 1);
  }
  throw internal_error("unknown split rule");
}

}  // namespace ballast::data

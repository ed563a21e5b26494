#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "data/json_lines.hpp"
#include "data/split.hpp"

namespace ballast::data {

/// Of each 20 blocks or documents, the last is held out.
inline constexpr std::uint64_t kHeldOutPeriod = 20;
inline constexpr std::uint64_t kBlockBytes = 16384;
inline constexpr std::uint64_t kBlockIds = 4096;

/// Receives a corpus cut into segments: runs of text, or of token ids, of one split.
class SegmentSink {
 public:
  virtual ~SegmentSink() = default;
  virtual void begin_segment(Split split) = 0;
  /// What follows goes on with the last segment of `split`.
  virtual void continue_segment(Split split) = 0;
  virtual void begin_document(float weight) = 0;
  virtual void text(std::string_view piece) = 0;
  virtual void ids(std::span<const std::int32_t> piece) = 0;
};

/// The facts about a corpus that the split rules need beforehand.
struct CorpusTotals {
  std::uint64_t length = 0;  ///< in bytes of text, or in token ids
  std::uint64_t documents = 0;
};

/// Sends each part of a corpus to its split. Cuts are counted in bytes, or in token ids, from the
/// corpus's start; in UTF-8 they move back to the start of a character. If whole documents are held
/// out, each is a segment of its own, and the documents to train on share one segment (they are
/// separate texts anyway, and short ones would be lost as the remainders of many segments).
class SplitRouter final : public DocumentSink {
 public:
  SplitRouter(SplitRule rule, double validation_fraction, CorpusTotals totals, TextKind kind,
              SegmentSink& sink);

  void begin_document(float weight) override;
  void text(std::string_view piece) override;
  void ids(std::span<const std::int32_t> piece) override;

 private:
  void begin_run();
  [[nodiscard]] bool held_out(std::uint64_t document) const;

  SplitRule rule_;
  CorpusTotals totals_;
  std::uint64_t tail_start_;
  TextKind kind_;
  SegmentSink& sink_;
  std::uint64_t block_;          ///< the length of one
  std::uint64_t position_ = 0;   ///< the length passed on
  std::uint64_t run_end_ = 0;    ///< where, by the rule, the split changes next
  std::uint64_t documents_ = 0;  ///< begun so far
};

/// The rule in words, for the dataset's attribute.
[[nodiscard]] std::string describe(SplitRule rule, double validation_fraction, TextKind kind);

}  // namespace ballast::data

#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace ballast {

/// The parts of a step that a profile distinguishes. Phases hold other spans; kernels, waits and
/// transfers are leaves: spans that open within one of them are not recorded.
enum class Region : std::uint8_t {
  // Phases.
  step,
  forward,
  backward,
  block_forward,
  block_backward,
  recompute,
  loss,
  evaluation,
  // Matrix products by transposed operands: forward, gradient of the input, of the weight.
  product_nt,
  product_nn,
  product_tn,
  product_tt,
  // Kernels.
  attention_forward,
  attention_backward,
  norm_forward,
  norm_backward,
  rope,
  swiglu_forward,
  swiglu_backward,
  activation_forward,
  activation_backward,
  bias_forward,
  bias_backward,
  softcap_forward,
  softcap_backward,
  residual,
  cross_entropy,
  top_tokens,
  embedding_forward,
  embedding_backward,
  gradient_norm,
  optimizer,
  // Communication between ranks, and access to disks.
  gather,
  room,
  reduce,
  replicate,
  verdict,
  data_loading,
  checkpoint,
};
inline constexpr std::size_t kRegions = static_cast<std::size_t>(Region::checkpoint) + 1;

[[nodiscard]] std::string_view name_of(Region region);
[[nodiscard]] constexpr bool is_phase(Region region) { return region <= Region::evaluation; }
[[nodiscard]] constexpr bool is_product(Region region) {
  return region >= Region::product_nt && region <= Region::product_tt;
}

/// The work of a span: its arithmetic by the formula, and the bytes that it must read and write at
/// least. Zero where this says nothing.
struct Work {
  double flop = 0.0;
  double bytes = 0.0;
};

/// Work that only reads and writes memory.
[[nodiscard]] constexpr Work moves(std::size_t bytes) { return {0.0, static_cast<double>(bytes)}; }

/// Tells spans of a region apart. Products: {m, n, k, element type}; block phases: {layer}; what
/// concerns a unit: {unit}; a step: {its number}.
using SpanDetail = std::array<std::uint32_t, 4>;

/// Nanoseconds on the monotonic clock.
[[nodiscard]] inline std::int64_t monotonic_ns() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
}

/// One span that has ended.
struct ProfileEvent {
  std::int64_t start_ns;
  std::int64_t end_ns;
  Work work;
  SpanDetail detail;
  Region region;
  std::uint8_t depth;  ///< spans around it
  std::uint8_t model;  ///< of the process, whose work it is
};

/// How one rank spends its time, as nested spans on one thread. The newest events are kept in a
/// ring that is reserved at the start; recording allocates nothing. Code that can be profiled holds
/// a pointer to a Profile, null when nothing is recorded. Where a process has several models, each
/// holds its own, and all record in one ring.
class Profile {
 public:
  static constexpr std::size_t kDefaultEvents = std::size_t{1} << 18;
  static constexpr std::size_t kDeepest = 16;

  /// Keeps the newest `events` spans; 56 bytes each.
  explicit Profile(std::size_t events = kDefaultEvents);
  /// For another model of the process, number `model`: records where `first` does.
  Profile(const Profile& first, std::uint8_t model) : recorder_{first.recorder_}, model_{model} {}
  Profile(const Profile&) = delete;
  Profile& operator=(const Profile&) = delete;

  void open(Region region, const Work& work, const SpanDetail& detail) {
    recorder_->open(region, work, detail, model_);
  }
  void close() { recorder_->close(); }

  /// The spans of the last `steps` whole steps that are still kept, and those between these steps,
  /// in the order of their starts, a span before those within it. If fewer steps were recorded, all
  /// of them.
  [[nodiscard]] std::vector<ProfileEvent> last_steps(std::size_t steps) const;

 private:
  /// The ring, and the spans that are open.
  class Recorder {
   public:
    explicit Recorder(std::size_t events) : ring_(events) {}

    void open(Region region, const Work& work, const SpanDetail& detail, std::uint8_t model) {
      const bool in_leaf = depth_ > 0 && !is_phase(open_[depth_ - 1].region);
      if (in_leaf || depth_ == kDeepest) {
        ++hidden_;
        return;
      }
      const auto depth = static_cast<std::uint8_t>(depth_);
      open_[depth_++] = {monotonic_ns(), 0, work, detail, region, depth, model};
    }
    void close() {
      if (hidden_ > 0) {
        --hidden_;
        return;
      }
      ProfileEvent& event = ring_[recorded_++ % ring_.size()];
      event = open_[--depth_];
      event.end_ns = monotonic_ns();
    }
    [[nodiscard]] std::vector<ProfileEvent> last_steps(std::size_t steps) const;

   private:
    std::vector<ProfileEvent> ring_;
    std::uint64_t recorded_ = 0;
    std::array<ProfileEvent, kDeepest> open_{};
    std::size_t depth_ = 0;
    std::size_t hidden_ = 0;  ///< open spans within a leaf
  };

  std::shared_ptr<Recorder> recorder_;
  std::uint8_t model_ = 0;
};

/// A part of the program, from here to the end of the scope. Does nothing without a profile.
class ProfileSpan {
 public:
  ProfileSpan(Profile* profile, Region region, const Work& work = {}, const SpanDetail& detail = {})
      : profile_{profile} {
    if (profile_ != nullptr) profile_->open(region, work, detail);
  }
  ~ProfileSpan() {
    if (profile_ != nullptr) profile_->close();
  }
  ProfileSpan(const ProfileSpan&) = delete;
  ProfileSpan& operator=(const ProfileSpan&) = delete;

 private:
  Profile* profile_;
};

/// The number of a layer, unit or step in a span's detail.
[[nodiscard]] constexpr SpanDetail numbered(std::size_t number) {
  return {static_cast<std::uint32_t>(number), 0, 0, 0};
}

}  // namespace ballast

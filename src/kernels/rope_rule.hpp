#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace ballast::kernels {

/// How rotary frequencies are stretched for texts longer than those a model was first trained on.
enum class RopeScaling {
  none,
  linear,   ///< positions are divided by the factor (Chen et al. 2023, position interpolation)
  dynamic,  ///< as none up to the context; beyond it, which Ballast refuses, the base grows
  llama3,   ///< low frequencies are divided by the factor, high ones stay (Llama 3.1)
  yarn,     ///< the same by another blend, and larger logits (Peng et al. 2023, YaRN)
};

[[nodiscard]] constexpr std::string_view name_of(RopeScaling scaling) {
  switch (scaling) {
    case RopeScaling::none:
      return "none";
    case RopeScaling::linear:
      return "linear";
    case RopeScaling::dynamic:
      return "dynamic";
    case RopeScaling::llama3:
      return "llama3";
    case RopeScaling::yarn:
      return "yarn";
  }
  return "?";
}

/// The angles of rotary position embeddings; what a scaling does not read is ignored.
struct RopeRule {
  double base = 10000.0;
  RopeScaling scaling = RopeScaling::none;
  double factor = 1.0;
  std::size_t original_context = 0;  ///< tokens of the texts before stretching; llama3 and yarn
  double low_frequency = 1.0;   ///< llama3: turns in original_context below which all is divided
  double high_frequency = 4.0;  ///< llama3: and above which nothing is
  double beta_fast = 32.0;      ///< yarn: turns above which nothing is divided
  double beta_slow = 1.0;       ///< yarn: and below which all is
  bool truncate = true;         ///< yarn: the blend begins and ends at whole pairs
  double magnitude = 0.0;       ///< yarn: of cosines and sines; 0: 0.1 ln(factor) + 1

  friend bool operator==(const RopeRule&, const RopeRule&) = default;
};

/// What a rule comes to: the angle of pair i at position p is p · frequencies[i].
struct RopeFrequencies {
  std::vector<double> frequencies;  ///< [head_dim / 2]
  double magnitude;                 ///< that cosines and sines are multiplied by
};

/// Every pair of a head's elements turns at base^(−2i / head_dim) (Su et al. 2021), rescaled as the
/// rule says. The same bits on every machine.
[[nodiscard]] RopeFrequencies rope_frequencies(const RopeRule& rule, std::size_t head_dim);

}  // namespace ballast::kernels

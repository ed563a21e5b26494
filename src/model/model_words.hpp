#pragma once

#include <string_view>

// What can be chosen of a model, and the words for it.
namespace ballast::model {

/// Where a block normalizes: before each sublayer, after it, or not at all.
enum class NormPlacement { pre, post, none };

[[nodiscard]] constexpr std::string_view name_of(NormPlacement placement) {
  switch (placement) {
    case NormPlacement::pre:
      return "pre";
    case NormPlacement::post:
      return "post";
    case NormPlacement::none:
      return "none";
  }
  return "?";
}

/// How a token knows its place.
enum class Position {
  rope,        ///< queries and keys turn with it (Su et al. 2021)
  alibi,       ///< logits fall with the distance (Press et al. 2022)
  learned,     ///< a trained vector for each is added to the embedding
  sinusoidal,  ///< a fixed vector for each is (Vaswani et al. 2017)
  none,        ///< from the causal mask alone (Haviv et al. 2022)
};

[[nodiscard]] constexpr std::string_view name_of(Position position) {
  switch (position) {
    case Position::rope:
      return "rope";
    case Position::alibi:
      return "alibi";
    case Position::learned:
      return "learned";
    case Position::sinusoidal:
      return "sinusoidal";
    case Position::none:
      return "none";
  }
  return "?";
}

}  // namespace ballast::model

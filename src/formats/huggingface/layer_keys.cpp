#include "formats/huggingface/layer_keys.hpp"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "base/json.hpp"

namespace ballast::formats {

namespace {

using WindowUse = Family::WindowUse;

constexpr const char* kSlides = "sliding_attention";
constexpr const char* kSeesAll = "full_attention";

/// By layer, whether it has the window.
using Slides = std::vector<bool>;

bool fits(const Slides& slides, const model::Window& window) {
  for (std::size_t layer = 0; layer < slides.size(); ++layer) {
    if (slides[layer] != (window.of(layer) != 0)) return false;
  }
  return true;
}

std::size_t layers_before(const Slides& slides, Slides::const_iterator layer) {
  return static_cast<std::size_t>(layer - slides.begin());
}

/// A rule for these layers; nothing if they follow none. Lists may come from anyone and be long, so
/// few rules are tried: where a layer sees all behind the first one that slides, it is an n-th one.
std::optional<model::Window> rule_of(const Slides& slides, std::size_t tokens) {
  const auto first = std::find(slides.begin(), slides.end(), true);
  if (first == slides.end()) return model::Window{};
  const auto next_full = std::find(first, slides.end(), false);
  if (next_full == slides.end()) return model::Window{tokens, layers_before(slides, first), 0};
  const std::size_t nth = layers_before(slides, next_full) + 1;
  for (std::size_t every = 2; every <= nth; ++every) {
    if (nth % every != 0) continue;
    // The layers before the first that slides see all as n-th ones, or because the rule has not
    // begun.
    for (const std::size_t begin : {std::size_t{0}, layers_before(slides, first)}) {
      const model::Window window{tokens, begin, every};
      if (fits(slides, window)) return window;
    }
  }
  return std::nullopt;
}

/// What layer_types says; nothing where the file has none.
std::optional<Slides> read_layer_types(const ConfigKeys& keys, std::size_t layers) {
  if (!keys.has("layer_types")) return std::nullopt;
  const auto types = keys.texts("layer_types");
  if (types.size() != layers) keys.refuse("layer_types", "does not name every layer once");
  Slides slides;
  for (const std::string& type : types) {
    if (type != kSlides && type != kSeesAll) {
      keys.refuse("layer_types", "names other kinds than full_attention and sliding_attention");
    }
    slides.push_back(type == kSlides);
  }
  return slides;
}

/// What a family does where the file has no layer_types.
Slides layers_by_family(const ConfigKeys& keys, const Family& family,
                        const model::ModelConfig& model) {
  const bool starts_later = family.window_use == WindowUse::later_layers;
  const std::size_t first = starts_later ? keys.whole("max_window_layers", 28) : 0;
  Slides slides;
  for (std::size_t layer = 0; layer < model.layers; ++layer) {
    switch (family.window_use) {
      case WindowUse::unrotated_layers:
        slides.push_back(!model.rotates(layer));
        break;
      case WindowUse::every_other:
        slides.push_back(layer % 2 == 0);
        break;
      default:
        slides.push_back(layer >= first);
    }
  }
  return slides;
}

/// Tokens of the window; 0: there is none.
std::size_t read_window_tokens(const ConfigKeys& keys, const Family& family) {
  if (family.has_window_switch() && !keys.boolean("use_sliding_window", false)) return 0;
  if (keys.is_null("sliding_window")) return 0;
  const std::size_t tokens = keys.whole("sliding_window", family.window);
  if (tokens == 0 && keys.has("sliding_window")) {
    keys.refuse("sliding_window", "is no number of tokens; null means that there is no window");
  }
  return tokens;
}

}  // namespace

std::size_t read_nope_every(const ConfigKeys& keys, const Family& family, std::size_t layers) {
  if (family.nope_every == 0) return 0;
  if (!keys.has("no_rope_layers")) {
    const std::size_t every = keys.whole("no_rope_layer_interval", family.nope_every);
    return every <= layers ? every : 0;
  }
  // Despite its name, it says 1 where a layer rotates.
  const auto rotates = keys.ids("no_rope_layers");
  if (rotates.size() < layers) keys.refuse("no_rope_layers", "does not name every layer");
  const auto end = rotates.begin() + static_cast<std::ptrdiff_t>(layers);
  const auto first = std::find(rotates.begin(), end, 0);
  if (first == end) return 0;
  const auto every = static_cast<std::size_t>(first - rotates.begin()) + 1;
  for (std::size_t layer = 0; layer < layers; ++layer) {
    if ((rotates[layer] == 0) != ((layer + 1) % every == 0)) {
      keys.refuse("no_rope_layers", "follows no rule that Ballast has: every n-th layer");
    }
  }
  return every;
}

model::Window read_window(const ConfigKeys& keys, const Family& family,
                          const model::ModelConfig& model) {
  if (family.window_use == WindowUse::none) return {};
  const std::size_t tokens = read_window_tokens(keys, family);
  const auto types = read_layer_types(keys, model.layers);
  if (tokens == 0) {
    if (types && std::ranges::count(*types, true) != 0) {
      keys.refuse("layer_types", "gives layers a window, but the file's other keys say none");
    }
    return {};
  }
  const Slides by_family = layers_by_family(keys, family, model);
  if (types && !family.has_layer_types() && *types != by_family) {
    keys.refuse("layer_types", "is not read by this family: all of its layers have the window");
  }
  const auto window = rule_of(types.value_or(by_family), tokens);
  if (!window) {
    keys.refuse(types ? "layer_types" : "sliding_window",
                "is for layers that follow no rule that Ballast has: windows from a layer on, but "
                "every n-th");
  }
  return *window;
}

void write_layers(const Family& family, const model::ModelConfig& model, Json& json) {
  const std::size_t tokens = model.window.tokens;
  if (family.window_use != WindowUse::none) {
    json["sliding_window"] = tokens == 0 ? Json(nullptr) : Json(tokens);
  }
  if (family.window_use == WindowUse::later_layers) {
    json["max_window_layers"] = tokens == 0 ? model.layers : model.window.first_layer;
  }
  if (family.has_layer_types()) {
    if (family.has_window_switch()) json["use_sliding_window"] = tokens != 0;
    Json types = Json::array();
    for (std::size_t layer = 0; layer < model.layers; ++layer) {
      types.push_back(model.window.of(layer) == 0 ? kSeesAll : kSlides);
    }
    json["layer_types"] = std::move(types);
  }
  if (family.nope_every != 0) {
    Json rotates = Json::array();
    for (std::size_t layer = 0; layer < model.layers; ++layer) {
      rotates.push_back(model.rotates(layer) ? 1 : 0);
    }
    json["no_rope_layer_interval"] = model.nope_every;
    json["no_rope_layers"] = std::move(rotates);
  }
}

}  // namespace ballast::formats

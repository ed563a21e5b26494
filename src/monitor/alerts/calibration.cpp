#include "monitor/alerts/calibration.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/error.hpp"
#include "base/json.hpp"
#include "base/text.hpp"

namespace ballast::monitor {

namespace {

bool is_within(std::size_t value, const std::array<std::size_t, 2>& range) {
  return value >= range[0] && value <= range[1];
}

FeatureVector weights_of(const Json& object, const std::string& source) {
  FeatureVector weights{};
  for (const auto& [name, weight] : object.items()) {
    const auto feature = feature_named(name);
    if (!feature) throw data_error("{}: weights: there is no feature '{}'", source, excerpt(name));
    weights[static_cast<std::size_t>(*feature)] = weight.get<double>();
  }
  return weights;
}

std::uint64_t whole_at(const Json& object, const char* key, const std::string& source) {
  return whole_number(object.at(key), fmt::format("{}: {}", source, key));
}

/// "key": [from, to]
std::array<std::size_t, 2> range_at(const Json& object, const char* key,
                                    const std::string& source) {
  const Json& bounds = object.at(key);
  const std::string what = fmt::format("{}: {}", source, key);
  return {whole_number(bounds.at(0), what), whole_number(bounds.at(1), what)};
}

Calibration read(const Json& object, const std::string& source) {
  const auto version = whole_at(object, "feature_version", source);
  if (version != kFeatureVersion) {
    throw data_error(
        "{}: feature_version is {}, but this program computes version {}: fit it anew with "
        "'ballast monitor calibrate'",
        source, version, kFeatureVersion);
  }
  const Json& covers = object.at("covers");
  return {
      .description = object.at("description"),
      .horizon = whole_at(object, "horizon", source),
      .threshold = object.at("threshold"),
      .bias = object.at("bias"),
      .weights = weights_of(object.at("weights"), source),
      .norm_placements = covers.at("norm_placement"),
      .qk_norm = covers.at("qk_norm"),
      .dim = range_at(covers, "dim", source),
      .layers = range_at(covers, "layers", source),
  };
}

}  // namespace

std::optional<std::string> Calibration::why_not(const Architecture& model) const {
  if (model.layers < 2) return "it compares blocks, and this model has only one";
  if (std::ranges::find(norm_placements, model.norm_placement) == norm_placements.end()) {
    return fmt::format("it was fitted on model.norm_placement = {}",
                       fmt::join(norm_placements, ", "));
  }
  if (std::ranges::find(qk_norm, model.qk_norm) == qk_norm.end()) {
    return fmt::format("it was fitted on runs {} model.qk_norm",
                       model.qk_norm ? "without" : "with");
  }
  if (!is_within(model.dim, dim))
    return fmt::format("it was fitted on dims {} to {}", dim[0], dim[1]);
  if (!is_within(model.layers, layers)) {
    return fmt::format("it was fitted on {} to {} layers", layers[0], layers[1]);
  }
  return {};
}

double Calibration::probability(const FeatureVector& features) const {
  double score = bias;
  for (std::size_t i = 0; i < kFeatures; ++i) {
    if (weights[i] != 0.0) score += weights[i] * features[i];
  }
  return 1.0 / (1.0 + std::exp(-score));
}

Feature Calibration::loudest(const FeatureVector& features) const {
  std::optional<std::size_t> loudest;
  for (std::size_t i = 0; i < kFeatures; ++i) {
    if (weights[i] == 0.0) continue;
    if (!loudest || weights[i] * features[i] > weights[*loudest] * features[*loudest]) loudest = i;
  }
  return static_cast<Feature>(loudest.value_or(0));
}

std::string Calibration::to_json() const {
  Json used = Json::object();
  for (std::size_t i = 0; i < kFeatures; ++i) {
    if (weights[i] != 0.0) used[std::string{name_of(static_cast<Feature>(i))}] = weights[i];
  }
  const Json object{
      {"feature_version", kFeatureVersion},
      {"description", description},
      {"horizon", horizon},
      {"threshold", threshold},
      {"bias", bias},
      {"weights", used},
      {"covers",
       {{"norm_placement", norm_placements},
        {"qk_norm", qk_norm},
        {"dim", dim},
        {"layers", layers}}},
  };
  return object.dump(2) + '\n';
}

Calibration Calibration::parse(const std::string& json, const std::string& source) {
  try {
    const Json object = with_context(fmt::format("{}: not a calibration", source),
                                     [&] { return parse_json(json); });
    return read(object, source);
  } catch (const Json::exception& e) {
    throw data_error("{}: not a calibration: {}", source, excerpt(e.what()));
  }
}

}  // namespace ballast::monitor

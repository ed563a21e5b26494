#include "monitor/probe_record.hpp"

#include <complex>
#include <nlohmann/json.hpp>

#include "base/json_number.hpp"

namespace ballast::monitor {

namespace {

using Json = nlohmann::ordered_json;

template <class Values, class Get>
Json list(const Values& values, Get&& get) {
  Json all = Json::array();
  for (const auto& value : values) all.push_back(get(value));
  return all;
}

/// One list over blocks for each number of a spectrum; null where a block has none.
Json spectral_lists(const std::vector<SpectralFeatures>& spectra) {
  const auto of = [&](auto get) {
    return list(spectra, [&](const SpectralFeatures& s) {
      return s.has_spectrum() ? json_number(get(s)) : Json(nullptr);
    });
  };
  using S = const SpectralFeatures&;
  return {
      {"status", list(spectra, [](S s) { return std::string{name_of(s.status)}; })},
      {"expanding", of([](S s) { return s.masses.expanding; })},
      {"near_unit", of([](S s) { return s.masses.near_unit; })},
      {"middle", of([](S s) { return s.masses.middle; })},
      {"contracting", of([](S s) { return s.masses.contracting; })},
      {"radius", of([](S s) { return s.radius; })},
      {"gain", of([](S s) { return s.sigma_1; })},
      {"departure", of([](S s) { return s.henrici; })},
      {"condition", of([](S s) { return s.condition; })},
      {"nonlinearity", of([](S s) { return s.nonlinearity; })},
      {"residual", of([](S s) { return s.residual_mean; })},
      {"kept_share", of([](S s) { return s.kept_share; })},
      {"noise_radius", of([](S s) { return s.noise_radius; })},
  };
}

/// By tensor.
Json update_lists(const UpdateSignals& updates) {
  Json staleness = Json::object();
  Json weight = Json::object();
  Json update = Json::object();
  for (const auto& tensor : updates) {
    staleness[tensor.name] = json_number(tensor.staleness);
    weight[tensor.name] = json_number(tensor.weight);
    update[tensor.name] = json_number(tensor.update);
  }
  return {{"staleness", staleness}, {"weight_rms", weight}, {"weight_update", update}};
}

Json eigenvalue_lists(const Probe& probe) {
  return list(probe.eigenvalues, [](const auto& of_block) {
    return list(of_block, [](const std::complex<double>& z) {
      return Json::array({json_number(z.real()), json_number(z.imag())});
    });
  });
}

}  // namespace

std::string to_json(const Probe& probe, Eigenvalues eigenvalues) {
  const auto& signals = probe.signals;
  const auto& of_step = probe.of_step;
  Json features = Json::object();
  for (std::size_t i = 0; i < kFeatures; ++i) {
    features[std::string{name_of(static_cast<Feature>(i))}] = json_number(probe.features[i]);
  }
  Json object{
      {"step", probe.step},
      {"source", of_step ? "live" : "held_out"},
      {"tokens", signals.tokens},
      {"feature_version", kFeatureVersion},
      {"risk", of_step && of_step->risk ? json_number(*of_step->risk) : Json(nullptr)},
      {"features", features},
      {"attention_logit", list(signals.attention_logit, json_number)},
      {"update", list(signals.update, json_number)},
      {"rms", list(signals.rms, json_number)},
      {"kurtosis", list(signals.kurtosis, json_number)},
      {"log_z", of_step ? json_number(of_step->log_z) : Json(nullptr)},
      {"updates", update_lists(of_step ? of_step->updates : UpdateSignals{})},
      {"spectrum", spectral_lists(probe.spectra)},
  };
  if (of_step && of_step->shaping) {
    const ShapingRecord& shaping = *of_step->shaping;
    object["kss"] = {{"loss", json_number(shaping.loss)},
                     {"near_unit", json_number(shaping.near_unit)},
                     {"applied_share", json_number(shaping.applied_share)}};
  }
  if (eigenvalues == Eigenvalues::yes) object["eigenvalues"] = eigenvalue_lists(probe);
  return object.dump();
}

}  // namespace ballast::monitor

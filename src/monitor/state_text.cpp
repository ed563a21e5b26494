#include "monitor/state_text.hpp"

#include <array>
#include <cmath>

#include "base/error.hpp"
#include "base/json.hpp"
#include "base/json_number.hpp"
#include "base/text.hpp"

namespace ballast::monitor {

namespace {

constexpr std::array kSeverities{Severity::info, Severity::warning, Severity::critical};

std::uint64_t step_at(const Json& object, const char* key) {
  return whole_number(object.at(key), key);
}

/// A key that older checkpoints lack, and then 0.
std::uint64_t step_or_zero(const Json& object, const char* key) {
  return object.contains(key) ? step_at(object, key) : 0;
}

double number_of(const Json& value) { return value.is_null() ? std::nan("") : value.get<double>(); }

template <class Numbers>
Json numbers(const Numbers& values) {
  Json list = Json::array();
  for (const double value : values) list.push_back(json_number(value));
  return list;
}

std::vector<double> numbers_of(const Json& list) {
  std::vector<double> values;
  for (const auto& value : list) values.push_back(number_of(value));
  return values;
}

template <std::size_t size>
std::array<double, size> array_of(const Json& list) {
  std::array<double, size> values{};
  for (std::size_t i = 0; i < size; ++i) values[i] = number_of(list.at(i));
  return values;
}

template <class Arrays>
Json arrays(const Arrays& all) {
  Json list = Json::array();
  for (const auto& values : all) list.push_back(numbers(values));
  return list;
}

template <std::size_t size>
std::vector<std::array<double, size>> arrays_of(const Json& list) {
  std::vector<std::array<double, size>> all;
  for (const auto& values : list) all.push_back(array_of<size>(values));
  return all;
}

Json to_object(const std::optional<ProbeLevels>& levels) {
  if (!levels) return nullptr;
  return {{"attention_logit", numbers(levels->attention_logit)},
          {"update", numbers(levels->update)},
          {"kurtosis", numbers(levels->kurtosis)},
          {"rms", numbers(levels->rms)},
          {"spectral", arrays(levels->spectral)},
          {"log_z", json_number(levels->log_z)},
          {"weights", numbers(levels->weights)}};
}

std::optional<ProbeLevels> optional_levels_of(const Json& object) {
  if (object.is_null()) return {};
  return ProbeLevels{numbers_of(object.at("attention_logit")),
                     numbers_of(object.at("update")),
                     numbers_of(object.at("kurtosis")),
                     numbers_of(object.at("rms")),
                     arrays_of<kSpectralLevels>(object.at("spectral")),
                     number_of(object.at("log_z")),
                     numbers_of(object.at("weights"))};
}

Json to_object(const DetectorState& state) {
  Json raised = Json::object();
  for (const auto& [key, value] : state.raised) {
    raised[key] = {{"step", value.step}, {"severity", static_cast<int>(value.severity)}};
  }
  return {{"highest_lr", state.highest_lr},
          {"log_grad_norms", numbers(state.log_grad_norms)},
          {"losses", numbers(state.losses)},
          {"raised", raised},
          {"skipped_in_a_row", state.skipped_in_a_row}};
}

/// JSON has no infinity: that of a run without a loss is null.
Json to_object(const LossRiseState& state) {
  return {{"recent", numbers(state.recent)}, {"lowest", json_number(state.lowest)}};
}

LossRiseState loss_rise_of(const Json& object) {
  LossRiseState state{.recent = numbers_of(object.at("recent"))};
  if (!state.recent.empty()) state.lowest = number_of(object.at("lowest"));
  return state;
}

DetectorState detectors_of(const Json& object) {
  DetectorState state{object.at("highest_lr"),
                      numbers_of(object.at("log_grad_norms")),
                      numbers_of(object.at("losses")),
                      {},
                      step_or_zero(object, "skipped_in_a_row")};
  for (const auto& [key, value] : object.at("raised").items()) {
    state.raised[key] = {step_at(value, "step"), kSeverities.at(step_at(value, "severity"))};
  }
  return state;
}

}  // namespace

std::string to_json(const MonitorState& state) {
  return Json{{"feature_version", kFeatureVersion},
              {"first", to_object(state.first)},
              {"first_held_out", to_object(state.first_held_out)},
              {"recent", arrays(state.recent)},
              {"alarmed_until", state.alarmed_until},
              {"alarmed_since", state.alarmed_since},
              {"risk_raised", state.risk_raised},
              {"lr_factor", state.responder.lr_factor},
              {"last_act", state.responder.last_act},
              {"detectors", to_object(state.detectors)},
              {"loss_rise", to_object(state.loss_rise)}}
      .dump();
}

MonitorState parse_state(const std::string& json, const std::string& source) {
  try {
    const Json object = parse_json(json);
    MonitorState state;
    state.alarmed_until = step_at(object, "alarmed_until");
    state.alarmed_since = step_or_zero(object, "alarmed_since");
    state.responder = {object.at("lr_factor"), step_at(object, "last_act")};
    state.detectors = detectors_of(object.at("detectors"));
    if (step_or_zero(object, "feature_version") != kFeatureVersion) return state;
    state.first = optional_levels_of(object.at("first"));
    state.first_held_out = optional_levels_of(object.at("first_held_out"));
    state.recent = arrays_of<kFeatures>(object.at("recent"));
    state.risk_raised = step_at(object, "risk_raised");
    state.loss_rise = loss_rise_of(object.at("loss_rise"));
    return state;
  } catch (const std::exception& e) {
    throw data_error("{}: the monitor's state cannot be read: {}", source,
                     excerpt(e.what(), 2 * kExcerptBytes));
  }
}

}  // namespace ballast::monitor

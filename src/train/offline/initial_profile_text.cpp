#include "train/offline/initial_profile_text.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <fmt/format.h>
#include <limits>
#include <optional>
#include <vector>

#include "base/json.hpp"
#include "base/json_number.hpp"
#include "base/text.hpp"
#include "monitor/probe_record.hpp"
#include "monitor/spectral/spectrum_measures.hpp"

namespace ballast::train {

namespace {

using monitor::Probe;
using monitor::SpectralFeatures;
using monitor::SpectrumStatus;

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

/// How a number is shown: with three decimals, or with three digits.
enum class Shown { decimals, digits };

/// A number that every block has; NaN in a block without a spectrum.
struct Measure {
  std::string_view key;    ///< as in monitor.jsonl
  std::string_view title;  ///< as in the table
  Shown shown;
  double (*of)(const SpectralFeatures& spectrum, double update);
};

using S = const SpectralFeatures&;
constexpr std::array kMeasures{
    Measure{"expanding", ">1.05", Shown::decimals, [](S s, double) { return s.masses.expanding; }},
    Measure{"near_unit", "near 1", Shown::decimals, [](S s, double) { return s.masses.near_unit; }},
    Measure{"contracting", "<0.80", Shown::decimals,
            [](S s, double) { return s.masses.contracting; }},
    Measure{"radius", "radius", Shown::decimals, [](S s, double) { return s.radius; }},
    Measure{"gain", "sigma_1", Shown::decimals, [](S s, double) { return s.sigma_1; }},
    Measure{"departure", "Henrici", Shown::decimals, [](S s, double) { return s.henrici; }},
    Measure{"condition", "cond", Shown::digits, [](S s, double) { return s.condition; }},
    Measure{"nonlinearity", "eta", Shown::digits, [](S s, double) { return s.nonlinearity; }},
    Measure{"residual", "ResDMD", Shown::decimals, [](S s, double) { return s.residual_mean; }},
    Measure{"kept_share", "kept", Shown::decimals, [](S s, double) { return s.kept_share; }},
    Measure{"noise_radius", "noise", Shown::decimals, [](S s, double) { return s.noise_radius; }},
    Measure{"update", "update", Shown::digits, [](S, double update) { return update; }},
};

double value_of(const Measure& measure, const Probe& probe, std::size_t block) {
  const auto& spectrum = probe.spectra[block];
  return spectrum.has_spectrum() ? measure.of(spectrum, probe.signals.update[block]) : kNone;
}

/// The blocks that means and maxima are taken over: those with a spectrum other than the
/// identity's.
std::vector<std::size_t> blocks_that_count(const Probe& probe, std::size_t first) {
  std::vector<std::size_t> blocks;
  for (std::size_t block = first; block < probe.spectra.size(); ++block) {
    const auto& spectrum = probe.spectra[block];
    if (spectrum.has_spectrum() && spectrum.status != SpectrumStatus::identity) {
      blocks.push_back(block);
    }
  }
  return blocks;
}

/// NaN over no blocks.
struct Summary {
  double mean = kNone;
  double max = kNone;
};

Summary summarize(const Measure& measure, const Probe& probe, std::size_t first) {
  const auto blocks = blocks_that_count(probe, first);
  if (blocks.empty()) return {};
  Summary summary{0.0, -std::numeric_limits<double>::infinity()};
  for (const std::size_t block : blocks) {
    const double value = value_of(measure, probe, block);
    summary.mean += value / static_cast<double>(blocks.size());
    summary.max = std::max(summary.max, value);
  }
  return summary;
}

double mean_of(std::string_view key, const Probe& probe) {
  return summarize(*std::ranges::find(kMeasures, key, &Measure::key), probe, 0).mean;
}

// The table.

template <class Cell>
std::string row(std::string_view name, Cell&& cell, std::string_view note = {}) {
  std::string text = fmt::format("{:<14}", name);
  for (const Measure& measure : kMeasures) text += fmt::format("{:>8}", cell(measure));
  return text + (note.empty() ? "" : fmt::format("  {}", note)) + "\n";
}

std::string cell(const Measure& measure, double value) {
  if (std::isnan(value)) return "-";
  if (measure.shown == Shown::decimals) return fmt::format("{:.3f}", value);
  const bool is_short = value == 0.0 || (value >= 1e-3 && value < 1e3);
  return is_short ? fmt::format("{:.3g}", value) : fmt::format("{:.1e}", value);
}

std::string note_on(const SpectralFeatures& spectrum) {
  if (!spectrum.has_spectrum()) return fmt::format("no spectrum: {}", name_of(spectrum.status));
  if (spectrum.status == SpectrumStatus::identity) return "identity";
  std::string note;
  if (spectrum.status == SpectrumStatus::rank_deficient) {
    note = fmt::format("{} directions", spectrum.rank);
  }
  if (spectrum.is_noisy) note += note.empty() ? "unreliable" : ", unreliable";
  return note;
}

std::string summary_rows(const Probe& probe, std::size_t first, std::string_view suffix) {
  const auto of = [&](double Summary::*member) {
    return [&probe, first, member](const Measure& measure) {
      return cell(measure, summarize(measure, probe, first).*member);
    };
  };
  return row(fmt::format("mean{}", suffix), of(&Summary::mean)) +
         row(fmt::format("max{}", suffix), of(&Summary::max));
}

std::string rows_of(const Probe& probe) {
  std::string text = row("block", [](const Measure& measure) { return measure.title; });
  for (std::size_t block = 0; block < probe.spectra.size(); ++block) {
    text += row(
        fmt::format("{}", block),
        [&](const Measure& measure) { return cell(measure, value_of(measure, probe, block)); },
        note_on(probe.spectra[block]));
  }
  text += summary_rows(probe, 0, "");
  if (probe.spectra.size() > 1) text += summary_rows(probe, 1, " without 0");
  return text;
}

/// The number of tokens with which noise would move no block's eigenvalues farther than
/// kLargestNoise. Noise falls with the square root of the tokens that the fit does not use up.
std::optional<std::uint64_t> tokens_needed(const Probe& probe) {
  double most = 0.0;
  for (const auto& spectrum : probe.spectra) {
    if (!spectrum.has_spectrum() || !spectrum.is_noisy) continue;
    if (!std::isfinite(spectrum.noise_radius)) return std::nullopt;
    const double used = static_cast<double>(spectrum.rank) + 1.0;
    const double excess = spectrum.noise_radius / monitor::kLargestNoise;
    const double spare = static_cast<double>(spectrum.samples) - used;
    most = std::max(most, used + spare * excess * excess);
  }
  return static_cast<std::uint64_t>(std::ceil(most));
}

std::string word_on_reliability(const Probe& probe) {
  const auto noisy =
      std::ranges::count_if(probe.spectra, [](S s) { return s.has_spectrum() && s.is_noisy; });
  if (noisy == 0) return {};
  const auto needed = tokens_needed(probe);
  return fmt::format(
      "Unreliable blocks: {} of {}. What the linear operator does not explain moves their "
      "eigenvalues\nby more than {}, so masses and radius depend on chance: {}.\n\n",
      noisy, probe.spectra.size(), monitor::kLargestNoise,
      needed ? fmt::format("it would take monitor.tokens = {}", *needed)
             : std::string{"there are not more tokens than directions"});
}

std::string_view verdict_on(double near_unit) {
  if (near_unit < 0.3) return "is below 0.3: train without spectral shaping, if cond is modest";
  if (near_unit > 0.5) {
    return "is above 0.5: high risk; shape the spectrum where there are no norms,\n  or at more "
           "than "
           "twice the usual learning rate";
  }
  return "lies between 0.3 and 0.5, for which the rule says nothing";
}

std::string rule_of_the_paper(const Probe& probe) {
  const double near_unit = mean_of("near_unit", probe);
  if (std::isnan(near_unit)) return "No block has a spectrum to judge by.\n\n";
  return fmt::format(
      "The rule of Kim et al. 2026 (arXiv:2602.22988, figure 7):\n  a mean near-unit mass of "
      "{:.2f} {}.\nThey do not say which cond is modest; here its mean is {:.3g}.\n\n",
      near_unit, verdict_on(near_unit), mean_of("condition", probe));
}

constexpr std::string_view kCaution =
    "Do not take this for a prediction. Before the first step, near-unit mass largely follows "
    "how\nsmall the blocks' updates are beside the stream: it moves with model.init_std, width and "
    "text,\nand knows neither the learning rate nor the data to come. In their table 1 only models "
    "without\nnorms diverge; post-norm, mass 0.66, never does. 'ballast train' uses growth since "
    "the first\nstep instead: monitor.risk, fitted on runs of known outcome.\n";

// The JSON.

template <class Get>
Json of_blocks(const Probe& probe, Get&& get) {
  Json all = Json::array();
  for (std::size_t block = 0; block < probe.spectra.size(); ++block) all.push_back(get(block));
  return all;
}

Json summary(const Probe& probe, std::size_t first) {
  Json mean = Json::object();
  Json max = Json::object();
  for (const Measure& measure : kMeasures) {
    const Summary both = summarize(measure, probe, first);
    mean[std::string{measure.key}] = monitor::json_number(both.mean);
    max[std::string{measure.key}] = monitor::json_number(both.max);
  }
  return {{"mean", mean}, {"max", max}};
}

std::string_view name_of_text(data::Split text) {
  return text == data::Split::validation ? "held_out" : "training";
}

/// Where the weights are from.
std::string origin_of(const InitialProfile& profile) {
  const bool is_drawn = profile.model.contains("model.init_std");
  return is_drawn ? fmt::format("init_std {}", text_of(profile.model, "model.init_std"))
                  : fmt::format("weights of {}", text_of(profile.model, "run.init"));
}

}  // namespace

std::string to_table(const InitialProfile& profile) {
  const Probe& probe = profile.probe;
  const auto& of = [&](const char* key) { return text_of(profile.model, key); };
  std::string text = fmt::format(
      "Before the first step: {} blocks of dim {}, {} norm ({}), {}, seed {}\n"
      "{} tokens of {} text{}\n\n",
      of("model.layers"), of("model.dim"), of("model.norm_placement"), of("model.norm"),
      origin_of(profile), of("run.seed"), with_thousands(probe.signals.tokens),
      profile.text == data::Split::validation ? "held-out" : "training",
      probe.signals.tokens < profile.asked
          ? fmt::format(" (monitor.tokens = {}: its last windows are short)", profile.asked)
          : std::string{});
  return text + rows_of(probe) + "\n" + word_on_reliability(probe) + rule_of_the_paper(probe) +
         std::string{kCaution};
}

std::string to_json(const InitialProfile& profile) {
  const Probe& probe = profile.probe;
  const auto record = parse_json(monitor::to_json(probe, monitor::Eigenvalues::yes));
  Json object{{"model", profile.model}, {"text", name_of_text(profile.text)}};
  for (const char* key : {"tokens", "attention_logit", "update", "rms", "kurtosis", "spectrum"}) {
    object[key] = record.at(key);
  }
  object["spectrum"]["whitened_update"] = of_blocks(
      probe, [&](std::size_t block) { return monitor::json_number(probe.spectra[block].update); });
  object["spectrum"]["unreliable"] =
      of_blocks(probe, [&](std::size_t block) { return Json(probe.spectra[block].is_noisy); });
  object["summary"] = {{"all_blocks", summary(probe, 0)}, {"without_block_0", summary(probe, 1)}};
  object["eigenvalues"] = record.at("eigenvalues");
  return object.dump() + "\n";
}

}  // namespace ballast::train

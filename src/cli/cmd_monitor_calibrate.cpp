#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "base/option_row.hpp"
#include "base/text.hpp"
#include "calibrate/estimate.hpp"
#include "cli/commands.hpp"
#include "cli/help.hpp"
#include "cli/resolved_config.hpp"
#include "storage/files.hpp"

namespace ballast::cli {

namespace {

using option_row::number, option_row::required, option_row::whole, option_row::word,
    option_row::words;

using calibrate::JudgedRun;
using calibrate::Outcome;
using monitor::Feature;

constexpr HelpText kHelp{
    .usage = "ballast monitor calibrate RUN... --output FILE [OPTIONS]",
    .about =
        "Fits the monitor's risk on runs of your own, finished ones, of which some broke: the\n"
        "probability that a run breaks within the next steps, for monitor.calibration. What it is\n"
        "worth is estimated on runs, or sizes of model, that were left out of the fit in turn.",
    .examples =
        "  ballast monitor calibrate runs/* --output risk.json\n"
        "  ballast train --monitor.calibration risk.json ...\n"};

/// Fewer runs that broke than this make a poor calibration.
constexpr std::size_t kFew = 5;

constexpr Limits kSteps{1, 1ull << 40};

struct Request {
  std::vector<std::string> runs;
  std::filesystem::path output;
  calibrate::Settings settings;
};

std::vector<std::string> feature_names() {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < monitor::kFeatures; ++i) {
    names.emplace_back(name_of(static_cast<Feature>(i)));
  }
  return names;
}

/// Parses "a,b".
std::vector<Feature> parse_features(const std::string& text) {
  const auto names = feature_names();
  std::vector<Feature> features;
  std::istringstream words{text};
  for (std::string word; std::getline(words, word, ',');) {
    const auto feature = monitor::feature_named(word);
    if (!feature) {
      const std::string near = nearest(word, names);
      throw usage_error("--features: there is no feature '{}'; {}", excerpt(word),
                        near.empty() ? fmt::format("there are {}", fmt::join(names, ", "))
                                     : fmt::format("did you mean '{}'?", near));
    }
    if (std::ranges::find(features, *feature) != features.end()) {
      throw usage_error("--features: '{}' is named twice", word);
    }
    features.push_back(*feature);
  }
  return features;
}

std::string joined_names(const std::vector<Feature>& features, std::string_view between) {
  std::vector<std::string_view> names;
  for (const Feature feature : features) names.push_back(name_of(feature));
  return fmt::format("{}", fmt::join(names, between));
}

Option features_option(std::vector<Feature>& target) {
  Option option{.name = "features",
                .value_name = "NAME,...",
                .takes = "features of monitor.jsonl, with commas between them",
                .help = "that the risk is made of"};
  option.set = [&target](const std::string& text) {
    target = parse_features(text);
    return !target.empty() && text.back() != ',';
  };
  option.get = [&target] { return std::optional{joined_names(target, ",")}; };
  return option;
}

std::vector<Option> options_for(Request& request) {
  auto& settings = request.settings;
  return {
      required(words("runs", "RUN...", request.runs, "run.dirs of trainings")),
      required(word("output", "FILE", request.output, "where the calibration goes")),
      features_option(settings.features),
      whole("horizon", settings.horizon, kSteps, "steps that the probability speaks about"),
      number("false-alarms", settings.false_alarms, kBelowOne,
             "share of these healthy runs that its threshold may let alarm"),
      whole("start", settings.start, {20, kSteps.most},
            "step that alarms count from, and that runs are looked at from"),
      number("bar", settings.bar, kAboveZero,
             "last loss, in nats a token, above which a run never learned; the default is for "
             "bytes of text"),
  };
}

std::vector<JudgedRun> read_runs(const Request& request) {
  std::vector<JudgedRun> runs;
  std::set<std::filesystem::path> seen;
  for (const std::filesystem::path folder : request.runs) {
    if (!seen.insert(std::filesystem::weakly_canonical(folder / "")).second) {
      throw usage_error("'{}' is named twice: every run counts once", folder.string());
    }
    if (!std::filesystem::is_directory(folder)) {
      throw data_error("there is no folder '{}'; name the run.dir of a training", folder.string());
    }
    auto run = calibrate::read_run(folder, read_run_facts(folder), request.settings.features);
    const auto label = calibrate::label_of(run.records, request.settings.bar, run.ending);
    runs.push_back({std::move(run), label});
  }
  return runs;
}

std::size_t count(calibrate::Runs runs, std::initializer_list<Outcome> outcomes) {
  return static_cast<std::size_t>(std::ranges::count_if(runs, [&](const JudgedRun* run) {
    return std::ranges::find(outcomes, run->label.outcome) != outcomes.end();
  }));
}

std::string summary(calibrate::Runs runs) {
  const auto spiked = count(runs, {Outcome::spike});
  return fmt::format("{} broke, {} never learned, {} healthy{}",
                     count(runs, {Outcome::diverged, Outcome::drift}),
                     count(runs, {Outcome::never_learned}), count(runs, {Outcome::healthy}),
                     spiked == 0 ? "" : fmt::format(", {} spiked (left out)", spiked));
}

void show_runs(calibrate::Runs runs) {
  std::size_t width = 3;
  for (const JudgedRun* run : runs) width = std::max(width, run->run.name.size());
  fmt::print("{:<{}}  {:<13}  {:>8}  {:>9}\n", "run", width, "outcome", "event at", "last loss");
  for (const JudgedRun* run : runs) {
    const auto& label = run->label;
    fmt::print("{:<{}}  {:<13}  {:>8}  {:>9.3f}\n", run->run.name, width, name_of(label.outcome),
               label.event ? with_thousands(*label.event) : "", label.final_loss);
  }
}

/// Says what is missing where nothing can be fitted.
void require_both_kinds(calibrate::Runs runs, const calibrate::Settings& settings) {
  if (can_fit(runs, settings)) return;
  const bool has_lost = count(runs, {Outcome::never_learned}) > 0;
  throw usage_error(
      "of these {} runs: {}; a calibration needs healthy ones that came past step {}, and ones "
      "that broke after it, within {} steps of a look each {} steps (--start, --horizon){}",
      runs.size(), summary(runs), settings.start, settings.horizon, calibrate::kBetweenLooks,
      has_lost ? fmt::format("; never learned: ended above {} nats a token (--bar)", settings.bar)
               : "");
}

std::string formula(const monitor::Calibration& calibration) {
  std::string text = fmt::format("{:.4g}", calibration.bias);
  for (std::size_t i = 0; i < monitor::kFeatures; ++i) {
    const double weight = calibration.weights[i];
    if (weight == 0.0) continue;
    text += fmt::format(" {} {:.4g} {}", weight < 0.0 ? '-' : '+', std::abs(weight),
                        name_of(static_cast<Feature>(i)));
  }
  return text;
}

void show_estimate(const calibrate::Estimate& estimate, const calibrate::Settings& settings) {
  const bool by_size = estimate.fold == calibrate::Fold::size;
  fmt::print("estimated on {}, left out of the fit in turn, 95% intervals:\n",
             by_size ? "sizes of model" : "single runs");
  fmt::print("  caught         {} of the runs that broke after step {} or never learned\n",
             estimate.caught.text(), settings.early());
  fmt::print("  false alarms   {} of the healthy runs\n", estimate.false_alarms.text());
  fmt::print("  median lead    {}\n",
             std::isnan(estimate.lead) ? "-" : fmt::format("{:.0f} steps", estimate.lead));
  if (!std::isnan(estimate.brier)) {
    fmt::print("  Brier score    {:.3f} over all looks; {:.3f} for one probability for all\n",
               estimate.brier, estimate.brier_blind);
  }
  if (estimate.too_early > 0) {
    fmt::print("  not counted    {} runs that broke by step {}\n", estimate.too_early,
               settings.early());
  }
  if (estimate.unjudged > 0) {
    fmt::print("  not judged     {} runs, without which nothing can be fitted\n",
               estimate.unjudged);
  }
}

void warn(calibrate::Runs runs, const calibrate::Estimate& estimate) {
  const auto broken = count(runs, {Outcome::diverged, Outcome::drift, Outcome::never_learned});
  if (broken < kFew) {
    fmt::print(stderr,
               "ballast: warning: only {} of these runs broke: the risk is a guess; bring {} or "
               "more that broke\n",
               broken, kFew);
  }
  if (estimate.brier >= estimate.brier_blind) {
    fmt::print(stderr,
               "ballast: warning: on runs that it has not seen this risk is no better than one "
               "probability for all; bring more runs, or choose other --features\n");
  }
}

std::string help(const Terminal& terminal) {
  Request defaults;
  return command_help(kHelp, options_for(defaults), terminal);
}

ExitCode run(Arguments arguments) {
  Request request;
  read_command_line(arguments, options_for(request), "runs");
  const auto& settings = request.settings;
  const auto judged = read_runs(request);
  std::vector<const JudgedRun*> all;
  for (const auto& one : judged) all.push_back(&one);
  // A run that was cut off or steered says nothing, not even which models there are.
  std::vector<const JudgedRun*> ended = all;
  std::erase_if(ended, [](const JudgedRun* one) {
    return one->label.outcome == Outcome::unfinished || one->label.outcome == Outcome::steered;
  });
  show_runs(all);
  require_both_kinds(ended, settings);

  auto calibration = fit(ended, settings);
  calibration.description = fmt::format("{} runs: {}", ended.size(), summary(ended));
  fmt::print("{} runs, {} examples: {}\n", ended.size(), examples_of(ended, settings).size(),
             summary(ended));
  fmt::print("risk = 1 / (1 + exp(-score)), score = {}; alarm from {:.3f} on\n",
             formula(calibration), calibration.threshold);
  const auto worth = estimate(ended, settings);
  show_estimate(worth, settings);
  warn(ended, worth);
  storage::write_text_atomically(request.output, calibration.to_json());
  fmt::print("{}: train with --monitor.calibration {}\n", request.output.string(),
             request.output.string());
  return ExitCode::ok;
}

}  // namespace

Command monitor_calibrate_command() {
  return {"monitor calibrate", "fit the monitor's risk on runs of your own", help, SerialRun{run}};
}

}  // namespace ballast::cli

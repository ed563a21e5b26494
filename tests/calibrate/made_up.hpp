#pragma once

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "calibrate/fit.hpp"

namespace ballast::test {

using calibrate::JudgedRun;
using calibrate::Record;

/// Losses that fall from 5.5 to `last`.
inline std::vector<double> learning(std::size_t steps = 400, double last = 1.5) {
  std::vector<double> losses;
  for (std::size_t i = 0; i < steps; ++i) {
    losses.push_back(last + (5.5 - last) * std::pow(0.97, static_cast<double>(i)));
  }
  return losses;
}

/// Learns, and from `event` on is a nat above its lowest.
inline std::vector<double> broken(std::size_t event, std::size_t steps = 400) {
  std::vector<double> losses = learning(steps);
  const double lowest = losses[event - 1];
  for (std::size_t i = event - 1; i < steps; ++i) losses[i] = lowest + 1.0;
  return losses;
}

/// One record a step, from step 1 on.
inline std::vector<Record> records_of(const std::vector<double>& losses) {
  std::vector<Record> records;
  for (const double loss : losses) {
    records.push_back({.step = records.size() + 1, .loss = loss, .grad_norm = 0.3});
  }
  return records;
}

/// Attention logits have grown by `growth` at each of its probes, all others features are 0.
inline JudgedRun judged(const std::vector<double>& losses, double growth,
                        monitor::Architecture model = {"pre", false, 64, 4}) {
  JudgedRun made;
  made.run.name = "made up";
  made.run.facts = {std::move(model), losses.size()};
  made.run.records = records_of(losses);
  for (std::uint64_t step = 1; step <= losses.size(); step += step == 1 ? 24 : 25) {
    made.run.looks.push_back({.step = step, .features = {}});
    made.run.looks.back().features[0] = growth;
  }
  made.label = calibrate::label_of(made.run.records, calibrate::kBar, calibrate::Ending::reached);
  return made;
}

inline std::vector<const JudgedRun*> pointers(const std::vector<JudgedRun>& runs) {
  std::vector<const JudgedRun*> all;
  for (const auto& run : runs) all.push_back(&run);
  return all;
}

}  // namespace ballast::test

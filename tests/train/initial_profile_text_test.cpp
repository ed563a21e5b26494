#include "train/offline/initial_profile_text.hpp"

#include <gtest/gtest.h>
#include <limits>
#include <nlohmann/json.hpp>

namespace ballast::train {
namespace {

using monitor::SpectralFeatures;
using monitor::SpectrumStatus;

SpectralFeatures block_with(double near_unit, double radius) {
  SpectralFeatures spectrum;
  spectrum.rank = 36;
  spectrum.samples = 2049;
  spectrum.masses.near_unit = near_unit;
  spectrum.masses.expanding = 1.0 - near_unit;
  spectrum.radius = radius;
  spectrum.condition = 123.0;
  spectrum.update = 0.5;
  return spectrum;
}

/// A profile of blocks whose updates are 0.25 each.
InitialProfile profile_with(std::vector<SpectralFeatures> spectra) {
  const std::size_t blocks = spectra.size();
  InitialProfile profile;
  profile.model = {{"model.layers", "3"},      {"model.dim", "36"},
                   {"model.norm", "rms"},      {"model.norm_placement", "pre"},
                   {"model.init_std", "0.02"}, {"run.seed", "3"}};
  profile.asked = 2049;
  auto& probe = profile.probe;
  probe.signals.tokens = 2049;
  probe.signals.rms.assign(blocks + 1, 1.0);
  probe.signals.kurtosis.assign(blocks + 1, 3.0);
  probe.signals.update.assign(blocks, 0.25);
  probe.signals.attention_logit.assign(blocks, 0.125);
  probe.spectra = std::move(spectra);
  probe.eigenvalues.resize(blocks, {{0.5, -0.25}});
  return profile;
}

nlohmann::json json_of(const InitialProfile& profile) {
  return nlohmann::json::parse(to_json(profile));
}

void expect_in(const std::string& text, const std::string& part) {
  EXPECT_NE(text.find(part), std::string::npos) << part << "\nin: " << text;
}

TEST(InitialProfileText, SumsUpBlocksWithAndWithoutTheFirst) {
  const auto profile =
      profile_with({block_with(0.125, 4.0), block_with(0.25, 2.0), block_with(0.75, 1.0)});
  const auto summary = json_of(profile).at("summary");
  EXPECT_EQ(summary.at("all_blocks").at("mean").at("near_unit"), 0.375);
  EXPECT_EQ(summary.at("all_blocks").at("max").at("radius"), 4.0);
  EXPECT_EQ(summary.at("without_block_0").at("mean").at("near_unit"), 0.5);
  EXPECT_EQ(summary.at("without_block_0").at("max").at("radius"), 2.0);
  EXPECT_EQ(summary.at("without_block_0").at("mean").at("update"), 0.25);
  const auto table = to_table(profile);
  expect_in(table, "mean             0.625   0.375");
  expect_in(table, "max without 0    0.750   0.750   0.000   2.000");
}

TEST(InitialProfileText, LeavesOutBlocksThatSayNothing) {
  auto identity = block_with(1.0, 1.0);
  identity.status = SpectrumStatus::identity;
  SpectralFeatures broken;
  broken.status = SpectrumStatus::non_finite;
  auto profile = profile_with({identity, block_with(0.25, 2.0), broken});
  profile.probe.signals.update[2] = std::numeric_limits<double>::quiet_NaN();
  const auto json = json_of(profile);
  EXPECT_EQ(json.at("summary").at("all_blocks").at("mean").at("near_unit"), 0.25);
  EXPECT_EQ(json.at("summary").at("all_blocks").at("max").at("radius"), 2.0);
  EXPECT_TRUE(json.at("spectrum").at("radius").at(2).is_null());
  EXPECT_TRUE(json.at("update").at(2).is_null());
  const auto table = to_table(profile);
  expect_in(table, "  identity\n");
  expect_in(table, "no spectrum: non_finite");
}

TEST(InitialProfileText, OneBlockAloneHasNoOthers) {
  const auto table = to_table(profile_with({block_with(0.25, 2.0)}));
  EXPECT_EQ(table.find("without 0"), std::string::npos) << table;
  const auto json = json_of(profile_with({block_with(0.25, 2.0)}));
  EXPECT_TRUE(json.at("summary").at("without_block_0").at("mean").at("radius").is_null());
}

TEST(InitialProfileText, SaysHowManyTokensWouldBeReliable) {
  auto noisy = block_with(0.25, 2.0);
  noisy.noise_radius = 0.15;
  noisy.is_noisy = true;
  const auto profile = profile_with({block_with(0.25, 2.0), noisy});
  EXPECT_EQ(json_of(profile).at("spectrum").at("unreliable"), nlohmann::json({false, true}));
  const auto table = to_table(profile);
  expect_in(table, "  unreliable\n");
  expect_in(table, "Unreliable blocks: 1 of 2.");
  expect_in(table, "it would take monitor.tokens = 18145.");  // 37 + 9 · 2,012
  noisy.noise_radius = std::numeric_limits<double>::infinity();
  expect_in(to_table(profile_with({noisy})), "not more tokens than directions");
}

TEST(InitialProfileText, QuotesTheRuleAndContradictsIt) {
  for (const auto& [mass, words] : std::vector<std::pair<double, std::string>>{
           {0.16, "0.16 is below 0.3"}, {0.4, "0.40 lies between"}, {0.66, "0.66 is above 0.5"}}) {
    const auto table = to_table(profile_with({block_with(mass, 2.0)}));
    expect_in(table, words);
    expect_in(table, "its mean is 123");
    expect_in(table, "Do not take this for a prediction.");
  }
}

TEST(InitialProfileText, SaysWhereTextWasTooShort) {
  auto profile = profile_with({block_with(0.25, 2.0)});
  EXPECT_EQ(to_table(profile).find("windows are short"), std::string::npos);
  profile.asked = 3000;
  expect_in(to_table(profile), "2,049 tokens of held-out text (monitor.tokens = 3000: ");
}

}  // namespace
}  // namespace ballast::train

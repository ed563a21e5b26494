#include "train/log/metrics_log.hpp"

#include <cmath>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace ballast::train {
namespace {

TEST(Record, NumbersReadBackToTheSameBits) {
  Record record{.step = 7, .loss = 0.1 + 0.2, .grad_norm = std::nextafter(1.0, 2.0), .lr = 3e-4};
  const auto json = nlohmann::json::parse(to_json(record));
  EXPECT_EQ(json.at("loss").get<double>(), record.loss);
  EXPECT_EQ(json.at("grad_norm").get<double>(), record.grad_norm);
  EXPECT_EQ(json.at("step"), 7);
  EXPECT_FALSE(json.contains("nonfinite"));
  EXPECT_FALSE(json.contains("val_loss"));
  EXPECT_FALSE(json.contains("mfu"));
}

TEST(Record, HasTheKeysOfTheContract) {
  const auto json = nlohmann::json::parse(to_json(
      {.comm_work_s = 0.25, .skew_s = 0.5, .mfu = 0.5, .val_loss = 1.0, .val_bits_per_byte = 2.0}));
  for (const char* key : {"step", "loss", "grad_norm", "lr", "tokens", "tokens_per_s", "step_s",
                          "loss_scale", "comm_work_s", "skew_s", "comm_exposed_s", "mem_peak_mib",
                          "mfu", "val_loss", "val_bits_per_byte"}) {
    EXPECT_TRUE(json.contains(key)) << key;
  }
  EXPECT_EQ(json.at("comm_exposed_s").get<double>(), 0.75);
}

TEST(Record, EveryFigureOfALossComesUnderItsName) {
  const auto json =
      nlohmann::json::parse(to_json({.val_loss = 1.0,
                                     .figures = {{"log_z", 9.5}, {"z_loss", std::nan("")}},
                                     .val_figures = {{"log_z", 9.25}}}));
  EXPECT_EQ(json.at("log_z"), 9.5);
  EXPECT_TRUE(json.at("z_loss").is_null());
  EXPECT_EQ(json.at("val_log_z"), 9.25);
  const auto without =
      nlohmann::json::parse(to_json({.has_labels = false, .figures = {{"log_z", 9.5}}}));
  EXPECT_FALSE(without.contains("log_z"));
}

TEST(Record, ANonFiniteValueIsNullAndSaysSo) {
  const auto json =
      nlohmann::json::parse(to_json({.step = 1, .loss = std::nan(""), .grad_norm = INFINITY}));
  EXPECT_TRUE(json.at("loss").is_null());
  EXPECT_TRUE(json.at("grad_norm").is_null());
  EXPECT_EQ(json.at("nonfinite"), true);
}

TEST(Record, HeldOutTokenIdsHaveALossAndNoBitsPerByte) {
  const Record record{.val_loss = 1.5};
  const auto json = nlohmann::json::parse(to_json(record));
  EXPECT_EQ(json.at("val_loss"), 1.5);
  EXPECT_TRUE(json.at("val_bits_per_byte").is_null());
  EXPECT_FALSE(json.contains("nonfinite"));
  EXPECT_NE(to_line(record, 1, 0.0).find("held out: loss 1.5000, - bits/byte"), std::string::npos);
}

TEST(Record, TheLineForPeopleShowsProgressAndTimeLeft) {
  const auto line =
      to_line({.step = 20, .loss = 1.23456, .tokens_per_s = 12345.6, .step_s = 0.5}, 1000, 490.0);
  for (const char* part : {"20/1000", "1.2346", "12,345 tokens/s", "8 min 10 s left"}) {
    EXPECT_NE(line.find(part), std::string::npos) << part << " in " << line;
  }
  EXPECT_EQ(line.find("MFU"), std::string::npos);
  EXPECT_NE(to_line({.mfu = 0.875}, 1, 0.0).find("MFU 87.5%"), std::string::npos);
}

}  // namespace
}  // namespace ballast::train

#include "checkpoint/manifest.hpp"

#include <gtest/gtest.h>
#include <limits>

#include "checkpoint/fixture.hpp"

namespace ballast::checkpoint {
namespace {

using test::data_error_of;

Manifest sample() {
  const auto request = request_for("", 7);
  return {.state = request.state,
          .state_hash = {1, 2},
          .writers = 1,
          .tensors = {{"a", {3, 5}}, {"b", {std::numeric_limits<std::uint64_t>::max()}}},
          .files = {{"rank-00000-of-00001.h5", 1234, {3, 4}}},
          .identity = request.identity,
          .numerics = "avx2",
          .gemm_table = "fp32 NT 64 48 1-32 panels\n* ** * * * openblas\n"};
}

/// Parses the sample with the first `from` replaced by `to`, which must fail.
std::string error_of_edit(const std::string& from, const std::string& to) {
  std::string text = sample().to_json();
  const auto place = text.find(from);
  EXPECT_NE(place, std::string::npos) << from;
  text.replace(place, from.size(), to);
  return data_error_of([&] { (void)Manifest::parse(text, "run/manifest.json"); });
}

void expect_edit_fails(const std::string& from, const std::string& to, const std::string& words) {
  const auto message = error_of_edit(from, to);
  EXPECT_NE(message.find("run/manifest.json"), std::string::npos) << message;
  EXPECT_NE(message.find(words), std::string::npos) << from << " -> " << to << ": " << message;
}

TEST(Manifest, ReadsBackWhatItWrites) {
  for (const double scale : {1.0, 0.1, 65536.0, 5e-324, 1.7976931348623157e308, 1.0 / 3.0, -0.0}) {
    Manifest manifest = sample();
    manifest.state.loss_scaler.scale = scale;
    const Manifest read = Manifest::parse(manifest.to_json(), "m");
    EXPECT_EQ(read.state, manifest.state);
    EXPECT_EQ(std::bit_cast<std::uint64_t>(read.state.loss_scaler.scale),
              std::bit_cast<std::uint64_t>(scale));
    EXPECT_EQ(read.state_hash, manifest.state_hash);
    EXPECT_EQ(read.writers, 1u);
    EXPECT_EQ(read.identity, manifest.identity);
    EXPECT_EQ(read.numerics, manifest.numerics);
    EXPECT_EQ(read.gemm_table, manifest.gemm_table);
    ASSERT_EQ(read.tensors.size(), 2u);
    EXPECT_EQ(read.tensors[0].name, "a");
    EXPECT_EQ(read.tensors[1].shape, manifest.tensors[1].shape);
    ASSERT_EQ(read.files.size(), 1u);
    EXPECT_EQ(read.files[0].name, manifest.files[0].name);
    EXPECT_EQ(read.files[0].bytes, 1234u);
    EXPECT_EQ(read.files[0].hash, manifest.files[0].hash);
    EXPECT_EQ(read.to_json(), manifest.to_json());
  }
}

TEST(Manifest, MissingKeysAreNamed) {
  for (const std::string key : {"format", "format_version", "state", "state_hash", "writers",
                                "numerics", "identity", "tensors", "files", "manifest_hash"}) {
    expect_edit_fails("\n  \"" + key + "\"", "\n  \"x\"", "lacks the key '" + key + "'");
  }
  for (const std::string key : {"step", "optimizer_steps", "seed", "cursor", "tokens", "loss_scale",
                                "scale_good_steps", "scale_tolerance"}) {
    expect_edit_fails("\"" + key + "\"", "\"x\"", "lacks the key 'state." + key + "'");
  }
  expect_edit_fails("\"shape\"", "\"x\"", "lacks the key 'tensors[0].shape'");
  expect_edit_fails("\"bytes\"", "\"x\"", "lacks the key 'files[0].bytes'");
}

TEST(Manifest, OlderOnesHaveNoTable) {
  Manifest manifest = sample();
  manifest.gemm_table.clear();
  const std::string text = manifest.to_json();
  EXPECT_EQ(text.find("gemm_table"), std::string::npos);
  EXPECT_EQ(Manifest::parse(text, "m").gemm_table, "");
}

TEST(Manifest, WrongTypesAreNamed) {
  expect_edit_fails("\"* ** * * * openblas\"", "7", "key 'gemm_table[1]'");
  expect_edit_fails("\"step\": 7", "\"step\": -7", "key 'state.step'");
  expect_edit_fails("\"step\": 7", "\"step\": 7.0", "key 'state.step'");
  expect_edit_fails("\"step\": 7", "\"step\": 18446744073709551616", "key 'state.step'");
  expect_edit_fails("\"step\": 7", "\"step\": null", "key 'state.step'");
  expect_edit_fails("\"loss_scale\": 0.1", "\"loss_scale\": \"1\"", "key 'state.loss_scale'");
  expect_edit_fails("\"numerics\": \"avx2\"", "\"numerics\": []", "key 'numerics'");
  expect_edit_fails("\"model.dim\": \"32\"", "\"model.dim\": 32", "key 'identity.model.dim'");
  expect_edit_fails("\"name\": \"a\"", "\"name\": 1", "key 'tensors[0].name'");
  expect_edit_fails("\"writers\": 1", "\"writers\": 2", "key 'writers'");
  expect_edit_fails("\"bytes\": 1234", "\"bytes\": \"1234\"", "key 'files[0].bytes'");
  expect_edit_fails(Hash128{3, 4}.hex(), "3", "key 'files[0].hash'");
}

TEST(Manifest, OtherVersionsAreRefusedWithBothNumbers) {
  for (const std::uint64_t other : {1u, 4u}) {
    const std::string text = of_version(sample().to_json(), other);
    const auto message = data_error_of([&] { (void)Manifest::parse(text, "run/manifest.json"); });
    EXPECT_NE(message.find(fmt::format("version {}; this build reads versions 2 to 3", other)),
              std::string::npos)
        << message;
    EXPECT_THROW((void)Manifest::parse(text, "m"), UnknownFormat);
  }
  // An altered number is damage.
  expect_edit_fails("\"format_version\": 3", "\"format_version\": 4", "was altered");
  expect_edit_fails("\"format_version\": 3", "\"format_version\": 2", "was altered");
  expect_edit_fails("ballast checkpoint", "another", "key 'format'");
}

TEST(Manifest, FileNamesCannotLeadElsewhere) {
  for (const std::string name :
       {"../manifest.json", "/etc/passwd", "..", ".", "", "a/b", "a\\u0000"}) {
    expect_edit_fails("rank-00000-of-00001.h5", name, "key 'files[0].name'");
  }
}

TEST(Manifest, HostileTextIsOneError) {
  expect_edit_fails("\"seed\"", "\"step\"", "'step' stands twice");
  expect_edit_fails("\"loss_scale\": 0.1", "\"loss_scale\": 1e999", "not valid JSON");
  const std::string deep = std::string(100000, '[') + std::string(100000, ']');
  for (const std::string& text :
       {std::string{}, std::string{"null"}, std::string(100000, '['), std::string{"[]"},
        std::string{"{}"}, std::string{"{\"a\""}, std::string{"\xff\xfe"}, deep,
        sample().to_json() + "x", "\xef\xbb\xbf" + sample().to_json()}) {
    const auto message = data_error_of([&] { (void)Manifest::parse(text, "run/manifest.json"); });
    EXPECT_NE(message.find("run/manifest.json"), std::string::npos) << message;
    EXPECT_LT(message.size(), 1000u);
  }
}

TEST(Manifest, EveryAlteredByteIsSeen) {
  const std::string whole = sample().to_json();
  for (std::size_t i = 0; i < whole.size(); ++i) {
    for (const unsigned mask : {0x01u, 0x03u, 0x20u, 0x80u}) {
      std::string text = whole;
      text[i] = static_cast<char>(static_cast<unsigned char>(text[i]) ^ mask);
      const auto message = data_error_of([&] { (void)Manifest::parse(text, "manifest.json"); });
      EXPECT_NE(message.find("manifest.json"), std::string::npos) << message;
    }
    const auto cut = whole.substr(0, i);
    (void)data_error_of([&] { (void)Manifest::parse(cut, "manifest.json"); });
  }
}

TEST(Manifest, WhatJsonCannotSayIsADefect) {
  Manifest manifest = sample();
  manifest.state.loss_scaler.scale = std::numeric_limits<double>::infinity();
  EXPECT_THROW((void)manifest.to_json(), Error);
  manifest = sample();
  manifest.numerics = "\xff";
  EXPECT_THROW((void)manifest.to_json(), Error);
}

TEST(Manifest, ALinkIsNoFileOfACheckpoint) {
  const test::TemporaryFolder folder;
  std::filesystem::create_symlink("/dev/zero", folder / "manifest.json");
  const auto message = test::data_error_of([&] { (void)Manifest::read(folder.path()); });
  EXPECT_NE(message.find("is a link"), std::string::npos) << message;
}

}  // namespace
}  // namespace ballast::checkpoint

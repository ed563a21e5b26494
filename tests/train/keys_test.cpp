#include "train/settings/keys.hpp"

#include <functional>
#include <gtest/gtest.h>
#include <map>
#include <set>
#include <string>

#include "base/error.hpp"
#include "base/option_row.hpp"
#include "train/settings/identity.hpp"

namespace ballast::train {
namespace {

using Names = std::set<std::string>;

/// What checkpoints of the first version kept. A key that comes later is not among them, and says
/// what they were trained with: Absence::means.
const Names kOfTheFirstVersion{
    "model.dim",        "model.layers",      "model.heads",        "model.kv_heads",
    "model.ffn",        "model.norm",        "model.qk_norm",      "model.norm_placement",
    "data.path",        "data.seq_len",      "run.seed",           "model.tie_embeddings",
    "data.micro_batch", "data.global_batch", "model.norm_epsilon", "model.document_attention",
    "model.rope_base",  "model.vocabulary"};
const Names kOfTheDataset{"data.content_hash", "data.tokenizer", "data.tokenizer_hash"};

Config with_path() {
  Config config;
  config.data.path = "corpus.h5";
  return config;
}

Names names_where(const std::function<bool(const Key&)>& holds) {
  Config config;
  Names names;
  for (const Key& key : keys(config)) {
    if (holds(key)) names.insert(key.option.name);
  }
  return names;
}

TEST(Keys, WhatIsKeptReadsBack) {
  Config config = with_path();
  for (const auto& [option, role, reader] : keys(config)) {
    if (!role.is_kept()) continue;
    const auto text = option.get();
    ASSERT_TRUE(text.has_value()) << option.name << ": has no text while it is left alone";
    EXPECT_TRUE(option.set(*text)) << option.name;
    EXPECT_EQ(option.get(), text) << option.name;
  }
}

TEST(Keys, ALaterKeySaysWhatOlderCheckpointsHad) {
  EXPECT_EQ(
      names_where([](const Key& key) { return key.role.is_kept() && !key.role.absence().value(); }),
      kOfTheFirstVersion)
      << "older checkpoints lack a key that was added: give its row Absence::means(...)";
}

TEST(Keys, WhatAbsenceMeansIsAValueOfTheKey) {
  Config config;
  for (const auto& [option, role, reader] : keys(config)) {
    const auto& value = role.absence().value();
    if (!value) continue;
    EXPECT_TRUE(option.set(*value)) << option.name;
    EXPECT_EQ(option.get(), *value) << option.name;
  }
}

TEST(Keys, ManifestsKeepWhatOlderProgramsRead) {
  Names expected = kOfTheFirstVersion;
  expected.insert(kOfTheDataset.begin(), kOfTheDataset.end());
  expected.insert({"precision.param", "precision.residual"});
  const Identity identity = make_identity(with_path(), {});
  for (const std::string& key : expected) EXPECT_TRUE(identity.contains(key)) << key;
}

TEST(Keys, OnlyWhatBelongsToOneRunGoesUnsaid) {
  EXPECT_EQ(
      names_where([](const Key& key) { return key.role.on_resume() == OnResume::unreported; }),
      (Names{"run.dir", "run.stop_at", "checkpoint.resume"}));
}

TEST(Keys, CalibrationReadsAModelsKindAndItsSteps) {
  EXPECT_EQ(names_where([](const Key& key) { return key.reader == Reader::calibration; }),
            (Names{"model.norm_placement", "model.qk_norm", "model.dim", "model.layers",
                   "run.steps", "run.stop_at"}));
}

/// A resume by a version with one more key, of a checkpoint without it.
class LaterKey : public testing::Test {
 protected:
  /// What the resume says; empty where it goes on.
  std::string resume_with(const std::string& value, const Role& role) {
    std::string field = value;
    std::vector<Key> rows = keys(config_);
    rows.push_back(
        {option_row::text("model.later", "TEXT", field, "a key of a later version"), role});
    Identity now = make_identity(config_, {});
    if (role.is_kept()) now["model.later"] = value;
    try {
      require_same_training(make_identity(config_, {}), now, rows);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::data);
      return error.what();
    }
    return "";
  }

 private:
  Config config_ = with_path();
};

TEST_F(LaterKey, RefusesNoOlderCheckpointThatDidTheSame) {
  EXPECT_EQ(resume_with("none", Role::same(Absence::means("none"))), "");
  EXPECT_EQ(resume_with("some", Role::kept(Absence::means("none"))), "");
}

TEST_F(LaterKey, RefusesAnOlderCheckpointThatDidSomethingElse) {
  EXPECT_NE(
      resume_with("some", Role::same(Absence::means("none"))).find("model.later: none → some"),
      std::string::npos);
}

TEST_F(LaterKey, WithoutAMeaningNoOlderCheckpointGoesOn) {
  EXPECT_NE(resume_with("none", Role::same(Absence::damage())).find("model.later: (absent) → none"),
            std::string::npos);
}

TEST(Keys, CheckpointsFromBeforeNarrowTypesAreOfFp32) {
  Config narrow = with_path();
  narrow.precision.param = ElementType::bf16;
  narrow.precision.residual = ElementType::bf16;
  Identity old = make_identity(narrow, {});
  EXPECT_EQ(precision_of(old).compute, ElementType::bf16);
  old.erase("precision.param");
  old.erase("precision.residual");
  EXPECT_EQ(precision_of(old).compute, ElementType::fp32);
  EXPECT_EQ(precision_of(old).residual, ElementType::fp32);
  EXPECT_NO_THROW(require_same_training(old, make_identity(narrow, {})));
}

}  // namespace
}  // namespace ballast::train

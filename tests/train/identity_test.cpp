#include "train/settings/identity.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"

namespace ballast::train {
namespace {

Config some_config() {
  Config config;
  config.model.kv_heads = 2;
  config.model.norm = kernels::NormKind::layer;
  config.model.norm_placement = model::NormPlacement::post;
  config.model.qk_norm = true;
  config.model.tie_embeddings = true;
  config.model.norm_epsilon = 1e-6f;
  config.model.rope.base = 12345.678901234567;
  config.data.path = "corpus.h5";
  return config;
}

data::DatasetInfo some_dataset() {
  data::DatasetInfo dataset;
  dataset.vocabulary = 259;
  return dataset;
}

TEST(Identity, TheModelReadsBack) {
  const auto config = some_config();
  const auto back = model_of(make_identity(config, some_dataset()));
  EXPECT_EQ(back.vocabulary, 259u);
  EXPECT_EQ(back.kv_heads, config.model.kv_heads);
  EXPECT_EQ(back.norm, config.model.norm);
  EXPECT_EQ(back.norm_placement, config.model.norm_placement);
  EXPECT_EQ(back.qk_norm, config.model.qk_norm);
  EXPECT_EQ(back.tie_embeddings, config.model.tie_embeddings);
  EXPECT_EQ(back.norm_epsilon, config.model.norm_epsilon);
  EXPECT_EQ(back.rope.base, config.model.rope.base);
}

TEST(Identity, AManifestThatLacksAKeyOrHasNonsenseIsADataError) {
  auto identity = make_identity(some_config(), some_dataset());
  identity["model.dim"] = "many";
  EXPECT_THROW((void)model_of(identity), Error);
  identity.erase("model.dim");
  EXPECT_THROW((void)model_of(identity), Error);
  identity["model.dim"] = "256";
  identity["model.norm"] = "batch";
  EXPECT_THROW((void)model_of(identity), Error);
}

TEST(Identity, EveryDifferenceIsListed) {
  const auto before = make_identity(some_config(), some_dataset());
  auto config = some_config();
  config.model.layers = 9;
  config.run.seed = 5;
  try {
    require_same_training(before, make_identity(config, some_dataset()));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::data);
    const std::string message = error.what();
    EXPECT_NE(message.find("model.layers: 4 → 9"), std::string::npos) << message;
    EXPECT_NE(message.find("run.seed: 1 → 5"), std::string::npos) << message;
    EXPECT_EQ(message.find("model.dim"), std::string::npos) << message;
  }
}

TEST(Identity, BatchSizeAndPathMayChange) {
  const auto before = make_identity(some_config(), some_dataset());
  auto config = some_config();
  config.data.global_batch = 64;
  config.data.path = "elsewhere/corpus.h5";
  EXPECT_NO_THROW(require_same_training(before, make_identity(config, some_dataset())));
}

}  // namespace
}  // namespace ballast::train

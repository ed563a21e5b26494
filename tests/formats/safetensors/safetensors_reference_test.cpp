#include <filesystem>
#include <gtest/gtest.h>

#include "formats/safetensors/made_up.hpp"
#include "formats/safetensors/safetensors_folder.hpp"
#include "formats/safetensors/safetensors_writer.hpp"

namespace ballast::formats {
namespace {

namespace fs = std::filesystem;

const fs::path kModels = fs::path{BALLAST_FIXTURES} / "models";

/// Reads a folder and writes all of its tensors anew.
void copy(const fs::path& from, const fs::path& to, std::uint64_t most_bytes) {
  const SafetensorsFolder folder{from};
  std::vector<NamedShape> shapes;
  for (const auto& name : folder.names()) shapes.push_back({name, folder.tensor(name).shape});
  const SafetensorsPlan plan{shapes, ElementType::fp32, most_bytes};
  create_safetensors(plan, to);
  SafetensorsWriter writer{plan, to};
  for (const auto& name : folder.names()) {
    std::vector<float> values(folder.tensor(name).numel);
    folder.read(name, 0, values);
    writer.write(name, 0, values);
  }
  writer.finish();
}

TEST(SafetensorsReference, ACopyOfWhatTransformersWroteIsTheSameFile) {
  int models = 0;
  for (const auto& entry : fs::directory_iterator{kModels}) {
    const test::TemporaryFolder copied;
    copy(entry.path(), copied.path(), std::uint64_t{1} << 40);
    EXPECT_TRUE(test::bytes_of_file(copied / "model.safetensors") ==
                test::bytes_of_file(entry.path() / "model.safetensors"))
        << entry.path();
    ++models;
  }
  EXPECT_EQ(models, 9);
}

TEST(SafetensorsReference, SeveralFilesHoldTheSame) {
  const test::TemporaryFolder shards;
  const test::TemporaryFolder whole;
  copy(kModels / "qwen3", shards.path(), 20'000);
  EXPECT_FALSE(fs::exists(shards / "model.safetensors"));
  copy(shards.path(), whole.path(), std::uint64_t{1} << 40);
  EXPECT_TRUE(test::bytes_of_file(whole / "model.safetensors") ==
              test::bytes_of_file(kModels / "qwen3" / "model.safetensors"));
}

}  // namespace
}  // namespace ballast::formats

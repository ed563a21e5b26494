#include "storage/json_log.hpp"

#include <cmath>
#include <fstream>
#include <gtest/gtest.h>
#include <vector>

#include "support/temporary_folder.hpp"

namespace ballast::storage {
namespace {

using test::data_error_of;

class JsonLog : public testing::Test {
 protected:
  void write(const std::string& text) { std::ofstream{file_, std::ios::binary} << text; }
  std::size_t read(BadLines bad_lines = BadLines::counted) {
    steps_.clear();
    return read_log(
        file_, [this](std::uint64_t step, const Json&) { steps_.push_back(step); }, bad_lines);
  }

  test::TemporaryFolder folder_;
  std::filesystem::path file_ = folder_ / "log.jsonl";
  std::vector<std::uint64_t> steps_;
};

TEST_F(JsonLog, ShowsEveryObjectWithAStepAndCountsTheOthers) {
  write("{\"step\":1}\nnothing\n{\"step\":2.5}\n{\"step\":-1}\n[1]\n\n{\"step\":7}\n");
  EXPECT_EQ(read(), 5u);
  EXPECT_EQ(steps_, (std::vector<std::uint64_t>{1, 7}));
}

TEST_F(JsonLog, ALineInTheMakingIsNoMistake) {
  write("{\"step\":1}\n{\"step\":2,\"lo");
  EXPECT_EQ(read(), 0u);
  EXPECT_EQ(read(BadLines::refused), 0u);
  EXPECT_EQ(steps_, std::vector<std::uint64_t>{1});
}

TEST_F(JsonLog, RefusesByLine) {
  write("{\"step\":1}\n{\"step\":2}\n{\"loss\":2}\n{\"step\":4}\n");
  EXPECT_EQ(data_error_of([&] { read(BadLines::refused); }),
            file_.string() + ":3: not a JSON object with a whole \"step\"");
  EXPECT_NE(data_error_of([&] { (void)read_log(folder_ / "none", {}); }).find("none"),
            std::string::npos);
}

TEST_F(JsonLog, NumbersAndTextsThatAreNoneAreNaNAndEmpty) {
  const Json object = Json::parse(R"({"a":1.5,"b":null,"c":"text","d":3})");
  EXPECT_EQ(number_at(object, "a"), 1.5);
  EXPECT_EQ(number_at(object, "d"), 3.0);
  for (const char* key : {"b", "c", "e"}) EXPECT_TRUE(std::isnan(number_at(object, key))) << key;
  EXPECT_EQ(text_at(object, "c"), "text");
  for (const char* key : {"a", "b", "e"}) EXPECT_EQ(text_at(object, key), "") << key;
}

}  // namespace
}  // namespace ballast::storage

#include "base/json.hpp"

#include <gtest/gtest.h>
#include <string>

#include "base/error.hpp"
#include "support/child_memory.hpp"

namespace ballast {
namespace {

using test::data_error_of;
using test::in_child;
using test::kMostMemory;

std::string repeated(std::string_view part, std::size_t times) {
  std::string text;
  for (std::size_t i = 0; i < times; ++i) text += part;
  return text;
}

TEST(Json, ReadsWhatTheLibraryReads) {
  for (const std::string text :
       {R"({"b":[1,-2,3.5e-7,null,true,false,"\u00e9\n\ud83d\ude00"],"a":{"c":{},"d":[]},"":""})",
        "[]", "7", "\"x\"", " null ", "18446744073709551615", "[[[]],[{}]]"}) {
    EXPECT_EQ(parse_json(text), Json::parse(text)) << text;
    EXPECT_EQ(parse_json(text).dump(), Json::parse(text).dump()) << "keys keep their order";
  }
}

TEST(Json, SaysWhereATextIsWrong) {
  const auto message = data_error_of([] { (void)parse_json("{\"a\": 1,, \"b\": 2}"); });
  EXPECT_NE(message.find("not valid JSON at byte 9: "), std::string::npos) << message;
  for (const char* text :
       {"", "{", "[1", "nul", "1 2", "{\"a\"}", "\"\x01\"", "\"\xff\"", "1e999"}) {
    (void)data_error_of([&] { (void)parse_json(text); });
    EXPECT_FALSE(try_parse_json(text)) << text;
  }
}

TEST(Json, AZeroByteIsNotTheEnd) {
  for (const std::string& text : {std::string{"{}\0", 3}, std::string{"{}\0 garbage", 11},
                                  std::string{"\0", 1}, std::string{"[1,\0 2]", 7}}) {
    const auto message = data_error_of([&] { (void)parse_json(text); });
    EXPECT_EQ(message,
              "not valid JSON at byte " + std::to_string(text.find('\0') + 1) + ": a zero byte");
  }
  EXPECT_EQ(parse_json(R"("\u0000")").get<std::string>(), std::string(1, '\0'));
}

TEST(Json, QuotesLittleOfTheText) {
  for (const std::string& text :
       {"{\"" + std::string(1000000, 'k') + "\" 1}", std::string(1000000, '7') + "e999999",
        "{\"" + std::string(1000000, 'k') + "\":1,\"" + std::string(1000000, 'k') + "\":2}"}) {
    EXPECT_LT(data_error_of([&] { (void)parse_json(text); }).size(), 400u);
  }
}

TEST(Json, AKeyStandsOnceInAnObject) {
  EXPECT_EQ(data_error_of([] { (void)parse_json(R"({"a":1,"b":{"a":2},"a":3})"); }),
            "the key 'a' stands twice in one object");
  EXPECT_NO_THROW((void)parse_json(R"([{"a":1},{"a":1},{"b":{"a":1},"a":2}])"));
}

TEST(Json, NestingHasALimit) {
  const auto nested = [](std::size_t depth) { return repeated("[", depth) + repeated("]", depth); };
  EXPECT_NO_THROW((void)parse_json(nested(64)));
  const auto message = data_error_of([&] { (void)parse_json(nested(65)); });
  EXPECT_NE(message.find("more than 64 deep"), std::string::npos) << message;
}

TEST(Json, AMillionDeepIsRefusedInLittleMemory) {
  for (const std::string& text :
       {repeated("[", 1000000), repeated("[", 1000000) + repeated("]", 1000000),
        repeated("{\"a\":", 1000000), repeated("[{\"a\":", 500000)}) {
    const auto child = in_child([&] { (void)parse_json(text); });
    EXPECT_NE(child.message.find("deep"), std::string::npos) << child.message;
    EXPECT_LT(child.grown_bytes, kMostMemory);
  }
}

TEST(Json, ManySmallValuesAreBounded) {
  for (const std::string& text :
       {"[" + repeated("[],", 4000000) + "0]", "[" + repeated("0,", 8000000) + "0]",
        "[" + repeated("\"\",", 4000000) + "0]", "[" + repeated("{\"\":0},", 2000000) + "0]"}) {
    const auto child = in_child([&] { (void)parse_json(text); });
    EXPECT_NE(child.message.find("more values than fit"), std::string::npos) << child.message;
    EXPECT_LT(child.grown_bytes, kMostMemory);
  }
  std::string keys = "{";
  for (int i = 0; i < 2000000; ++i) keys += "\"" + std::to_string(i) + "\":0,";
  const auto child = in_child([&] { (void)parse_json(keys + "\"\":0}"); });
  EXPECT_NE(child.message.find("more values than fit"), std::string::npos) << child.message;
  EXPECT_LT(child.grown_bytes, kMostMemory + keys.size());
}

TEST(Json, AWholeNumberIsOne) {
  EXPECT_EQ(whole_number(Json(7u), "step"), 7u);
  for (const Json& value : {Json(-1), Json(1.5), Json(1e300), Json("7"), Json(nullptr), Json()}) {
    EXPECT_EQ(data_error_of([&] { (void)whole_number(value, "step"); }),
              "step is not a whole number");
  }
}

}  // namespace
}  // namespace ballast

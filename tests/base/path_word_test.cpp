#include "base/path_word.hpp"

#include <cstdlib>
#include <gtest/gtest.h>

#include "base/error.hpp"

namespace ballast {
namespace {

/// The variable HOME, for as long as a test takes.
class PathWord : public testing::Test {
 protected:
  PathWord() { ::setenv("HOME", "/homes/me", 1); }
  ~PathWord() override {
    before_.empty() ? ::unsetenv("HOME") : ::setenv("HOME", before_.c_str(), 1);
  }
  static std::string message_of(const std::string& text) {
    try {
      return read_path_word(text);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::usage);
      return error.what();
    }
  }

 private:
  std::string before_ = std::getenv("HOME") == nullptr ? "" : std::getenv("HOME");
};

TEST_F(PathWord, ATildeAtTheStartIsTheHomeFolder) {
  EXPECT_EQ(read_path_word("~/runs/a"), "/homes/me/runs/a");
  EXPECT_EQ(read_path_word("~"), "/homes/me");
  for (const char* text : {"a/~/b", "a~", "~draft.txt", "./~/b", "/x", "auto", "blocks:2"}) {
    EXPECT_EQ(read_path_word(text), text);
  }
}

TEST_F(PathWord, HomesThatAreNotKnownAreRefused) {
  EXPECT_NE(message_of("~other/runs").find("another user's home"), std::string::npos);
  for (const char* home : {static_cast<const char*>(nullptr), ""}) {
    home == nullptr ? ::unsetenv("HOME") : ::setenv("HOME", home, 1);
    EXPECT_NE(message_of("~/runs").find("'~/runs' needs the variable HOME"), std::string::npos);
  }
}

TEST_F(PathWord, PathsThatNoFileSystemTakesAreShownShort) {
  for (const std::string& path : {std::string(4000, 'p'), std::string(256, 'p') + "/a", [] {
                                    std::string deep;
                                    while (deep.size() < 4096) deep += "pppp/";
                                    return deep;
                                  }()}) {
    const std::string message = message_of(path);
    EXPECT_NE(message.find("bytes, 'pppp"), std::string::npos) << message;
    EXPECT_LT(message.size(), 200u);
  }
  EXPECT_EQ(read_path_word(std::string(255, 'p')).size(), 255u);
}

}  // namespace
}  // namespace ballast

#include "base/path_word.hpp"

#include <algorithm>
#include <climits>
#include <cstdlib>
#include <filesystem>
#include <string_view>

#include "base/error.hpp"
#include "base/text.hpp"

namespace ballast {

namespace {

constexpr std::size_t kShown = 60;

std::string with_home(const std::string& text) {
  const std::string_view user = std::string_view{text}.substr(1, text.find('/') - 1);
  if (!user.empty() && text.find('/') == std::string::npos) return text;  // a file named so
  if (!user.empty()) {
    throw usage_error(
        "'{}': another user's home is not looked up: write its path, or ./{} for a "
        "folder of that name",
        text, text);
  }
  const char* const home = std::getenv("HOME");
  if (home == nullptr || *home == '\0') {
    throw usage_error("'{}' needs the variable HOME, which is not set: write the whole path", text);
  }
  return home + text.substr(1);
}

void refuse_too_long(const std::string& text) {
  const std::filesystem::path path{text};
  const auto too_long = [](const std::filesystem::path& part) {
    return part.native().size() > NAME_MAX;
  };
  if (text.size() < PATH_MAX && std::none_of(path.begin(), path.end(), too_long)) return;
  throw usage_error(
      "a path of {} bytes, '{}...', is too long: a name has at most {} bytes, a path {}",
      with_thousands(text.size()), text.substr(0, kShown), NAME_MAX, with_thousands(PATH_MAX - 1));
}

}  // namespace

std::string read_path_word(const std::string& text) {
  std::string path = text.starts_with('~') ? with_home(text) : text;
  refuse_too_long(path);
  return path;
}

}  // namespace ballast

#include "support/invoke.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <sstream>
#include <stdexcept>
#include <sys/wait.h>
#include <unistd.h>

namespace ballast::test {

namespace {

/// Longer than any of these jobs takes on a slow, busy machine: a hang, not a delay.
constexpr int kTimeLimit_s = 240;

/// "'it'\''s'": one word for the shell, whatever is in it.
std::string quoted(const std::string& word) {
  std::string result = "'";
  for (const char c : word) result += c == '\'' ? std::string{"'\\''"} : std::string(1, c);
  return result + "'";
}

/// Where this process keeps its files; removed at its end.
std::filesystem::path own_folder() {
  return std::filesystem::temp_directory_path() / ("ballast-test-" + std::to_string(::getpid()));
}

class CleanUp : public testing::Environment {
 public:
  void TearDown() override { std::filesystem::remove_all(own_folder()); }
};
[[maybe_unused]] const auto* const kCleanUp = testing::AddGlobalTestEnvironment(new CleanUp);

}  // namespace

std::string fresh_folder() {
  const auto* const test = testing::UnitTest::GetInstance()->current_test_info();
  const auto folder = own_folder() / (std::string{test->test_suite_name()} + "." + test->name());
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  return folder.string();
}

std::string shared_folder(const std::string& name) {
  const auto folder = own_folder() / name;
  std::filesystem::create_directories(folder);
  return folder.string();
}

void write_file(const std::string& path, const std::string& bytes) {
  std::ofstream{path, std::ios::binary} << bytes;
}

std::string read_file(const std::string& path) {
  std::ifstream file{path, std::ios::binary};
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

Outcome invoke(const std::vector<std::string>& arguments, const Launch& launch) {
  const std::string folder = own_folder().string();
  std::filesystem::create_directories(folder);
  write_file(folder + "/in", launch.input);
  std::string command = "env";
  for (const auto& variable : launch.variables) command += " " + quoted(variable);
  command += " timeout --kill-after=5 " + std::to_string(kTimeLimit_s);
  if (!launch.launcher.empty()) {
    command += " " + launch.launcher;
  } else if (launch.ranks > 0) {
    command += " " BALLAST_MPIRUN " -n " + std::to_string(launch.ranks);
  }
  command += " " + quoted(BALLAST_PROGRAM);
  for (const auto& argument : arguments) command += " " + quoted(argument);
  command += " <" + quoted(folder + "/in") + " >" + quoted(folder + "/out") + " 2>" +
             quoted(folder + "/err");
  const int status = std::system(command.c_str());
  if (status == -1 || !WIFEXITED(status)) throw std::runtime_error("no exit code: " + command);
  return {WEXITSTATUS(status), read_file(folder + "/out"), read_file(folder + "/err")};
}

}  // namespace ballast::test

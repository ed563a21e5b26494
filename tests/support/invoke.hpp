#pragma once

#include <string>
#include <vector>

namespace ballast::test {

/// What a finished program left behind.
struct Outcome {
  int exit_code = -1;
  std::string out;
  std::string err;
};

/// How a program is started.
struct Launch {
  int ranks = 0;                            ///< 0: by hand, without mpirun
  std::string launcher = {};                ///< shell words instead of mpirun, before the program
  std::string input = {};                   ///< its standard input
  std::vector<std::string> variables = {};  ///< added to the environment: "PMI_RANK=1"
};

/// Runs the built program to its end. One that takes minutes is ended: exit code 124.
[[nodiscard]] Outcome invoke(const std::vector<std::string>& arguments, const Launch& launch = {});

/// A folder of its own for each test, emptied first.
[[nodiscard]] std::string fresh_folder();
/// A folder that tests of this program share, gone at its end.
[[nodiscard]] std::string shared_folder(const std::string& name);

void write_file(const std::string& path, const std::string& bytes);
[[nodiscard]] std::string read_file(const std::string& path);

}  // namespace ballast::test

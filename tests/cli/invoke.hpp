#pragma once

#include <string>
#include <vector>

namespace ballast::cli {

/// What a finished program left behind.
struct Outcome {
  int exit_code = -1;
  std::string out;
  std::string err;
};

/// Runs the built program with `arguments` and variables like "OMPI_COMM_WORLD_RANK=1" set besides
/// the environment; its standard input is `input`.
[[nodiscard]] Outcome invoke(const std::vector<std::string>& arguments,
                             const std::string& input = {},
                             const std::vector<std::string>& variables = {});

/// A folder of its own for each test, emptied first.
[[nodiscard]] std::string fresh_folder();

void write_file(const std::string& path, const std::string& bytes);
[[nodiscard]] std::string read_file(const std::string& path);

}  // namespace ballast::cli

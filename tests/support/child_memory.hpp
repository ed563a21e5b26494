#pragma once

#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <gtest/gtest.h>
#include <malloc.h>
#include <string>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/sanitized.hpp"
#include "support/temporary_folder.hpp"

namespace ballast::test {

/// How a process of its own fared with some work.
struct ChildReport {
  std::string message;            ///< of the data Error that it ended with
  std::uint64_t grown_bytes = 0;  ///< of resident memory at its peak, beyond what it began with
};

/// Runs `work`, which must throw a data Error, where a crash or much memory harms nobody.
template <class Work>
ChildReport in_child(Work&& work) {
  const TemporaryFolder folder;
  const auto peak = [] {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    return static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
  };
  const pid_t child = ::fork();
  if (child == 0) {
    // As where the program runs: what is asked for and never touched is no memory.
    ::mallopt(M_PERTURB, 0);
    const std::uint64_t before = peak();
    std::string message = "no error";
    try {
      std::forward<Work>(work)();
    } catch (const Error& error) {
      message = (error.code() == ExitCode::data ? "" : "wrong code: ") + std::string{error.what()};
    }
    std::ofstream{folder / "report"} << peak() - before << ' ' << message << std::flush;
    std::_Exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status)) << "signal " << (WIFSIGNALED(status) ? WTERMSIG(status) : 0);
  ChildReport report;
  std::ifstream stream{folder / "report"};
  stream >> report.grown_bytes;
  stream.get();
  std::getline(stream, report.message, '\0');
  return report;
}

/// What a reader may take beyond the size of the file.
inline constexpr std::uint64_t kMostMemory = std::uint64_t{kSanitized ? 512 : 64} << 20;

}  // namespace ballast::test

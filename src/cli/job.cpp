#include "cli/job.hpp"

#include <chrono>
#include <cstdio>
#include <exception>
#include <optional>

#include "cli/last_words.hpp"
#include "comm/runtime.hpp"

namespace ballast::cli {

namespace {

constexpr std::chrono::seconds kGrace{30};

}  // namespace

void print_error(const std::string& message) {
  std::fflush(stdout);
  // One write, so that messages of several ranks do not mix.
  std::fputs(fmt::format("ballast: error: {}\n", message).c_str(), stderr);
}

ExitCode run_alone(const std::function<ExitCode()>& work) {
  try {
    return work();
  } catch (const Error& error) {
    print_error(error.what());
    return error.code();
  }
}

ExitCode run_in_job(int& argc, char**& argv,
                    const std::function<ExitCode(comm::Communicator&)>& work) {
  std::optional<LastWords> last_words;  // outlives the runtime, whose end it watches
  comm::Runtime runtime{argc, argv};
  comm::Communicator& world = runtime.world();
  try {
    return work(world);
  } catch (const Error& error) {
    if (world.is_root()) print_error(error.what());
    const std::string message =
        world.is_root() ? "" : fmt::format("{}: {}", world.name(), error.what());
    last_words.emplace(message, error.code(), kGrace);
    return error.code();
  } catch (const std::exception& error) {
    print_error(fmt::format("{}: {}", world.name(), error.what()));
    comm::Runtime::abort(ExitCode::internal);
  }
}

}  // namespace ballast::cli

#include "cli/run_in_job.hpp"

#include <chrono>
#include <cstdio>
#include <exception>
#include <optional>

#include "cli/last_words.hpp"
#include "cli/output.hpp"
#include "comm/runtime.hpp"

namespace ballast::cli {

namespace {

constexpr std::chrono::seconds kGrace{30};

/// A job that is to be run again has met no error.
void print_end(const Error& error) {
  if (error.code() != ExitCode::run_again) return print_error(error.what());
  print_line(fmt::format("ballast: stopped: {}", error.what()));
}

}  // namespace

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
    if (world.is_root()) print_end(error);
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

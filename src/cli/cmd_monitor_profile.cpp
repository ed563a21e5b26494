#include <fmt/format.h>
#include <string>

#include "cli/commands.hpp"
#include "cli/help.hpp"
#include "cli/same_options.hpp"
#include "cli/training_config.hpp"
#include "comm/agree.hpp"
#include "storage/files.hpp"
#include "train/offline/initial_profile_text.hpp"

namespace ballast::cli {

namespace {

constexpr HelpText kHelp{
    .usage = "[mpirun -n RANKS] ballast monitor profile [CONFIG] [--output FILE] [OPTIONS]",
    .about =
        "Shows the spectrum of a model before its first step, block by block: how the residual\n"
        "stream of monitor.tokens tokens changes in a forward pass. Trains nothing. Takes what\n"
        "'ballast train' takes; run.dir is not needed.",
    .examples =
        "  ballast monitor profile small.ini\n"
        "  ballast monitor profile small.ini --model.norm_placement post --output post.json\n"};

std::string help(const Terminal& terminal) {
  ProfileRequest defaults;
  return command_help(kHelp, profile_command_options(defaults), terminal);
}

ExitCode profile_in_job(comm::Communicator& world, Arguments arguments) {
  const ProfileRequest request = read_profile_request(world, arguments);
  const train::InitialProfile profile = train::profile_at_start(world, request.config);
  comm::agree(world, "output", [&] {
    if (!world.is_root()) return;
    if (request.output.empty()) {
      fmt::print("{}", to_table(profile));
      return;
    }
    storage::write_text_atomically(request.output, to_json(profile));
    fmt::print("wrote {}\n", request.output.string());
  });
  return ExitCode::ok;
}

}  // namespace

Command monitor_profile_command() {
  return {"monitor profile", "show a model's spectrum before its first step", help,
          ParallelRun{profile_in_job}};
}

}  // namespace ballast::cli

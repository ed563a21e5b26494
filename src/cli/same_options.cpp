#include "cli/same_options.hpp"

#include <optional>
#include <vector>

#include "cli/text_sources.hpp"
#include "comm/agree.hpp"

namespace ballast::cli {

namespace {

void require_same_rows(comm::Communicator& world, std::span<const Option> options) {
  comm::require_same(world, facts_of(options), ExitCode::usage, kStartAlike);
}

/// The files that a command line names. They decide how many files are read on rank 0 for all, so
/// they are compared before any file is read.
template <class Request>
comm::Facts files_named(const Request& request) {
  const auto& config = request.config;
  return {{"config", request.file.string()},
          {"run.init", config.run.init.string()},
          {"run.gemm_table", config.run.gemm_table.string()},
          {"monitor.calibration", config.monitor.calibration.string()}};
}

template <class Request>
Request read_in_job(comm::Communicator& world, Arguments arguments,
                    std::vector<Option> (&options_of)(Request&),
                    Request (&read)(Arguments, const TextSources&),
                    const std::string& positional = {}) {
  comm::Facts files;
  comm::agree(world, "command line", [&] {
    Request request;
    const auto options = options_of(request);
    assign(parse_command_line(arguments, options, positional), options);
    files = files_named(request);
  });
  comm::require_same(world, files, ExitCode::usage, kStartAlike);

  Request request;
  std::optional<Error> error;  // reading is collective: only afterwards may a rank fail alone
  try {
    request = read(arguments, texts_of_root(world));
  } catch (const Error& caught) {
    error = caught;
  }
  comm::agree(world, "configuration", [&] {
    if (error) throw *error;
  });
  require_same_rows(world, options_of(request));
  return request;
}

}  // namespace

comm::Facts facts_of(std::span<const Option> options) {
  comm::Facts facts;
  for (const Option& option : options) {
    if (option.agreement == Agreement::own) continue;
    facts.push_back({option.name, option.get().value_or(option.fallback)});
  }
  return facts;
}

void read_command_line(comm::Communicator& world, Arguments arguments,
                       std::span<const Option> options, const std::string& positional) {
  comm::agree(world, "command line", [&] { read_command_line(arguments, options, positional); });
  require_same_rows(world, options);
}

TrainRequest read_train_request(comm::Communicator& world, Arguments arguments) {
  return read_in_job<TrainRequest>(world, arguments, train_command_options, read_train_request);
}

TuneRequest read_tune_request(comm::Communicator& world, Arguments arguments) {
  return read_in_job<TuneRequest>(world, arguments, tune_command_options, read_tune_request);
}

ProfileRequest read_profile_request(comm::Communicator& world, Arguments arguments) {
  return read_in_job<ProfileRequest>(world, arguments, profile_command_options,
                                     read_profile_request, "config");
}

}  // namespace ballast::cli

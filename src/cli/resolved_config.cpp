#include "cli/resolved_config.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "base/error.hpp"
#include "cli/ini.hpp"
#include "cli/options.hpp"
#include "storage/files.hpp"

namespace ballast::cli {

namespace {

constexpr std::array<std::string_view, 6> kFacts{
    "model.norm_placement", "model.qk_norm", "model.dim",
    "model.layers",         "run.steps",     "run.stop_at"};
/// Stays out of the file where it is not set.
constexpr std::string_view kOptional = "run.stop_at";

/// What is wrong with a file that a program wrote is no mistake of whoever names it.
template <class Work>
auto as_data(Work&& work) {
  try {
    return std::forward<Work>(work)();
  } catch (const Error& error) {
    throw Error{ExitCode::data, error.what()};
  }
}

}  // namespace

std::vector<Assignment> read_resolved_config(const std::filesystem::path& run) {
  const auto file = run / kResolvedConfig;
  return as_data([&] { return parse_ini(storage::read_text(file), file.string()); });
}

calibrate::RunFacts read_run_facts(const std::filesystem::path& run) {
  auto given = read_resolved_config(run);
  std::erase_if(
      given, [](const Assignment& a) { return std::ranges::find(kFacts, a.name) == kFacts.end(); });
  for (const auto key : kFacts) {
    if (key != kOptional && std::ranges::find(given, key, &Assignment::name) == given.end()) {
      throw data_error("{}: has no {}", (run / kResolvedConfig).string(), key);
    }
  }
  train::Config config;
  as_data([&] { assign(given, training_options(config)); });
  const auto& model = config.model;
  return {{std::string{name_of(model.norm_placement)}, model.qk_norm, model.dim, model.layers},
          config.last_step()};
}

}  // namespace ballast::cli

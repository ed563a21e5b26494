#include "cli/resolved_config.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "cli/ini.hpp"
#include "storage/files.hpp"
#include "train/settings/keys.hpp"
#include "train/settings/section_keys.hpp"

namespace ballast::cli {

namespace {

/// An error in a file that the program wrote is a data Error, not a usage Error.
template <class Work>
auto as_data(Work&& work) {
  try {
    return std::forward<Work>(work)();
  } catch (const Error& error) {
    throw Error{ExitCode::data, error.what()};
  }
}

}  // namespace

std::string to_ini(const train::Config& config) {
  train::Config copy = config;
  std::string ini;
  std::string section;
  for (const auto& option : train::key_options(copy)) {
    const auto value = option.get();
    if (!value) continue;
    if (section_of(option) != section) {
      ini += fmt::format("{}[{}]\n", ini.empty() ? "" : "\n", section_of(option));
      section = section_of(option);
    }
    ini += fmt::format("{} = {}\n", key_of(option), ini_value(*value));
  }
  return ini;
}

std::string model_to_ini(const model::ModelConfig& model) {
  model::ModelConfig copy = model;
  std::string ini = "[model]\n";
  for (const auto& [option, role, reader] : train::model_keys(copy)) {
    const bool is_of_training = option.name == "model.document_attention" || !role.is_kept();
    if (!is_of_training) ini += fmt::format("{} = {}\n", key_of(option), *option.get());
  }
  return ini;
}

std::vector<Assignment> read_resolved_config(const std::filesystem::path& run) {
  const auto file = run / kResolvedConfig;
  return as_data([&] { return parse_ini(storage::read_text(file), file.string()); });
}

calibrate::RunFacts read_run_facts(const std::filesystem::path& run) {
  auto given = read_resolved_config(run);
  train::Config config;
  std::vector<Option> facts;
  for (const train::Key& key : train::keys(config)) {
    if (key.reader == train::Reader::calibration) facts.push_back(key.option);
  }
  std::erase_if(given, [&](const Assignment& a) {
    return std::ranges::find(facts, a.name, &Option::name) == facts.end();
  });
  for (const Option& fact : facts) {
    const bool is_always_written = fact.get().has_value();
    if (is_always_written &&
        std::ranges::find(given, fact.name, &Assignment::name) == given.end()) {
      throw data_error("{}: has no {}", (run / kResolvedConfig).string(), fact.name);
    }
  }
  as_data([&] { assign(given, facts); });
  const auto& model = config.model;
  return {{std::string{name_of(model.norm_placement)}, model.qk_norm, model.dim, model.layers},
          config.last_step()};
}

}  // namespace ballast::cli

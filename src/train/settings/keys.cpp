#include "train/settings/keys.hpp"

#include <iterator>
#include <utility>

#include "train/settings/section_keys.hpp"

namespace ballast::train {

namespace {

void append(Keys& all, Keys section) {
  all.insert(all.end(), std::make_move_iterator(section.begin()),
             std::make_move_iterator(section.end()));
}

}  // namespace

std::vector<Key> keys(Config& config) {
  Keys all = model_keys(config.model);
  append(all, data_keys(config.data));
  append(all, parallel_keys(config.parallel));
  append(all, precision_keys(config.precision));
  append(all, optim_keys(config.optim));
  append(all, schedule_keys(config.schedule));
  append(all, checkpoint_keys(config.checkpoint));
  append(all, monitor_keys(config.monitor));
  append(all, experimental_keys(config.experimental));
  append(all, eval_keys(config));
  append(all, log_keys(config));
  append(all, run_keys(config.run));
  return all;
}

std::vector<Option> key_options(Config& config) {
  std::vector<Option> options;
  for (Key& key : keys(config)) options.push_back(std::move(key.option));
  return options;
}

}  // namespace ballast::train

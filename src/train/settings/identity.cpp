#include "train/settings/identity.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <string_view>

#include "base/error.hpp"
#include "base/text.hpp"

namespace ballast::train {

namespace {

/// The dataset's part of an identity. A resume must not change it.
Identity facts_of(const data::DatasetInfo& dataset) {
  return {{"data.content_hash", dataset.content_hash},
          {"data.tokenizer", dataset.tokenizer},
          {"data.tokenizer_hash", dataset.tokenizer_hash}};
}

/// A checkpoint's identity, completed by the keys that its version did not have.
Identity with_absent(const Identity& checkpoint, std::span<const Key> rows) {
  Identity whole = checkpoint;
  for (const Key& key : rows) {
    const auto& value = key.role.absence().value();
    if (key.role.is_kept() && value) whole.emplace(key.option.name, *value);
  }
  return whole;
}

/// The keys of a section as the checkpoint keeps them, the others at their defaults.
Config kept_section(const Identity& checkpoint, std::string_view section) {
  Config config;
  const auto rows = keys(config);
  const Identity whole = with_absent(checkpoint, rows);
  for (const auto& [option, role, reader] : rows) {
    if (!role.is_kept() || section_of(option) != section) continue;
    const std::string& text = text_of(whole, option.name);
    if (option.set(text)) continue;
    throw data_error("the checkpoint's {} = '{}' is not allowed: it takes {}", option.name,
                     excerpt(text), option.takes);
  }
  return config;
}

/// Of the matrices that each block has.
constexpr std::size_t kFewestMatricesOfBlock = 6;

/// Whether rows · cols floats fit into `bytes`. The arithmetic cannot overflow.
bool fits(std::size_t rows, std::size_t cols, std::uint64_t bytes) {
  return rows <= bytes / sizeof(float) / cols;
}

}  // namespace

Identity make_identity(const Config& config, const data::DatasetInfo& dataset) {
  Config named = config;
  named.data.path = std::filesystem::absolute(config.data.path);  // read from any folder
  named.model.vocabulary = vocabulary_of(config.model, dataset.vocabulary);
  Identity identity = facts_of(dataset);
  for (const Key& key : keys(named)) {
    if (key.role.is_kept()) identity[key.option.name] = key.option.get().value_or("");
  }
  return identity;
}

void require_same_training(const Identity& checkpoint, const Identity& now,
                           std::span<const Key> rows) {
  const Identity before = with_absent(checkpoint, rows);
  std::string differences;
  for (const auto& [key, value] : now) {
    const auto row = std::ranges::find(rows, key, [](const Key& k) { return k.option.name; });
    if (row != rows.end() && row->role.on_resume() != OnResume::same) continue;
    const auto found = before.find(key);
    const std::string was = found == before.end() ? "(absent)" : found->second;
    if (was != value) differences += fmt::format("\n  {}: {} → {}", key, excerpt(was), value);
  }
  if (!differences.empty()) {
    throw data_error(
        "the checkpoint belongs to another training; start a new run.dir, or set these back "
        "(checkpoint → now):{}",
        differences);
  }
}

void require_same_training(const Identity& checkpoint, const Identity& now) {
  Config defaults;
  require_same_training(checkpoint, now, keys(defaults));
}

const std::string& text_of(const Identity& identity, const std::string& key) {
  const auto found = identity.find(key);
  if (found == identity.end()) throw data_error("the checkpoint's manifest lacks '{}'", key);
  return found->second;
}

std::size_t number_of(const Identity& identity, const std::string& key) {
  const std::string& text = text_of(identity, key);
  std::size_t number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) {
    throw data_error("the checkpoint's {} = '{}' is not a number", key, excerpt(text));
  }
  // No size of a model or a batch is larger, and products of two fit 64 bits.
  if (number > UINT32_MAX) throw data_error("the checkpoint's {} = {} is too large", key, number);
  return number;
}

model::Precision precision_of(const Identity& identity) {
  const PrecisionConfig precision = kept_section(identity, "precision").precision;
  return {precision.param, precision.residual};
}

model::ModelConfig model_of(const Identity& identity) {
  model::ModelConfig config = kept_section(identity, "model").model;
  config.validate();
  return config;
}

model::ModelConfig model_of(const checkpoint::Manifest& manifest) {
  constexpr std::uint64_t kLargestFile = std::uint64_t{1} << 50;
  const model::ModelConfig config = model_of(manifest.identity);
  std::uint64_t bytes = 0;
  for (const auto& file : manifest.files) bytes += std::min(file.bytes, kLargestFile);
  const bool is_held = config.layers <= manifest.tensors.size() / kFewestMatricesOfBlock &&
                       fits(config.vocabulary, config.dim, bytes) &&
                       fits(config.dim, config.dim, bytes) && fits(config.ffn, config.dim, bytes);
  if (!is_held) {
    throw data_error(
        "the checkpoint's manifest describes a model of {} layers, dim {} and a vocabulary of {}, "
        "but its {} tensors in {} are too small for that",
        config.layers, config.dim, config.vocabulary, manifest.tensors.size(), human_bytes(bytes));
  }
  return config;
}

}  // namespace ballast::train

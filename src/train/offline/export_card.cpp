#include "train/offline/export_card.hpp"

#include <cmath>
#include <fmt/format.h>
#include <optional>
#include <system_error>

#include "base/error.hpp"
#include "base/text.hpp"
#include "formats/huggingface/family.hpp"
#include "storage/json_log.hpp"
#include "train/settings/identity.hpp"
#include "train/settings/setting_changes.hpp"

namespace ballast::train {

namespace {

using Facts = std::vector<formats::ModelCard::Fact>;

/// In nats a token, as the log of the checkpoint's run has it; nothing where it has none.
std::optional<double> held_out_loss(const checkpoint::Checked& checkpoint) {
  const auto log = checkpoint.folder.parent_path().parent_path() / "log.jsonl";
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(log, ignored)) return std::nullopt;
  std::optional<double> loss;
  storage::read_log(log, [&](std::uint64_t step, const storage::Json& record) {
    if (step != checkpoint.manifest.state.step) return;
    const double value = storage::number_at(record, "val_loss");
    if (std::isfinite(value)) loss = value;
  });
  return loss;
}

void add_data(const checkpoint::Manifest& manifest, Facts& facts) {
  const auto& identity = manifest.identity;
  const std::filesystem::path data = text_of(identity, "data.path");
  if (data.empty()) return;
  facts.push_back({"dataset", data.filename().string()});
  facts.push_back({"its content hash", text_of(identity, "data.content_hash")});
  facts.push_back({"its tokenizer", text_of(identity, "data.tokenizer")});
  facts.push_back({"tokens of a sequence", text_of(identity, "data.seq_len")});
  facts.push_back({"sequences a step", text_of(identity, "data.global_batch")});
}

void add_training(const checkpoint::Checked& checkpoint, Facts& facts) {
  const checkpoint::Manifest& manifest = checkpoint.manifest;
  facts.push_back({"steps", with_thousands(manifest.state.step)});
  facts.push_back({"tokens trained on", with_thousands(manifest.state.tokens)});
  if (const auto loss = held_out_loss(checkpoint)) {
    facts.push_back({"held-out loss, nats/token", fmt::format("{:.6f}", *loss)});
  }
  add_data(manifest, facts);
  facts.push_back(
      {"precision.param", std::string{name_of(precision_of(manifest.identity).compute)}});
  for (const auto& [key, value] : settings_of(manifest.settings)) {
    if (key.starts_with("optim.") || key.starts_with("schedule.")) facts.push_back({key, value});
  }
  facts.push_back({"state hash", manifest.state_hash.hex()});
}

std::uint64_t numel_of(const model::ParameterTable& table) {
  std::uint64_t numel = 0;
  for (const auto& row : table.parameters()) numel += row.numel;
  return numel;
}

/// What a model that nobody trained here was made from.
std::string_view origin_of(const SavedModel& saved) {
  return saved.foreign() == nullptr ? "another program's model" : saved.foreign()->kind();
}

}  // namespace

formats::ModelCard card_of(const SavedModel& saved, const model::ParameterTable& table,
                           const std::string& title, const std::string& program) {
  formats::ModelCard card{
      .title = title,
      .model_type = std::string{formats::family_of(saved.model()).model_type},
      .about = saved.step().value_or(0) > 0
                   ? "Trained with Ballast, fully sharded over the ranks of an MPI job."
                   : fmt::format("Converted by Ballast from {}.", origin_of(saved)),
      .facts = {{"parameters", with_thousands(numel_of(table))}}};
  if (saved.checkpoint() != nullptr) add_training(*saved.checkpoint(), card.facts);
  card.facts.push_back({"written by", program});
  return card;
}

}  // namespace ballast::train

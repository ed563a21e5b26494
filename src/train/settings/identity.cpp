#include "train/settings/identity.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>

#include "base/error.hpp"
#include "base/text.hpp"

namespace ballast::train {

namespace {

/// May differ between a checkpoint and the run that goes on from it.
constexpr std::array<std::string_view, 5> kFree{
    "data.path", "data.micro_batch", "data.global_batch", "precision.param", "precision.residual"};

template <class Number>
Number parse(const Identity& identity, const std::string& key) {
  const std::string& text = text_of(identity, key);
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) {
    throw data_error("the checkpoint's {} = '{}' is not a number", key, excerpt(text));
  }
  return number;
}

bool flag_of(const Identity& identity, const std::string& key) {
  return text_of(identity, key) == "true";
}

template <class Choice, std::size_t N>
Choice choice_of(const Identity& identity, const std::string& key,
                 const std::array<Choice, N>& choices) {
  const std::string& text = text_of(identity, key);
  const auto found =
      std::ranges::find_if(choices, [&](Choice choice) { return name_of(choice) == text; });
  if (found == choices.end())
    throw data_error("the checkpoint's {} = '{}' is unknown", key, excerpt(text));
  return *found;
}

/// Of the matrices that each block has.
constexpr std::size_t kMatricesOfBlock = 7;

/// Whether rows · cols floats fit into so many bytes; nothing overflows.
bool fits(std::size_t rows, std::size_t cols, std::uint64_t bytes) {
  return rows <= bytes / sizeof(float) / cols;
}

}  // namespace

Identity make_identity(const Config& config, const data::DatasetInfo& dataset) {
  const auto& model = config.model;
  return {
      {"model.vocabulary", std::to_string(model.vocabulary)},
      {"model.dim", std::to_string(model.dim)},
      {"model.layers", std::to_string(model.layers)},
      {"model.heads", std::to_string(model.heads)},
      {"model.kv_heads", std::to_string(model.kv_heads)},
      {"model.ffn", std::to_string(model.ffn)},
      {"model.norm", std::string{name_of(model.norm)}},
      {"model.norm_placement", std::string{name_of(model.norm_placement)}},
      {"model.qk_norm", model.qk_norm ? "true" : "false"},
      {"model.tie_embeddings", model.tie_embeddings ? "true" : "false"},
      {"model.document_attention", model.document_attention ? "true" : "false"},
      {"model.norm_epsilon", fmt::format("{}", model.norm_epsilon)},
      {"model.rope_base", fmt::format("{}", model.rope_base)},
      {"data.path", std::filesystem::absolute(config.data.path).string()},
      {"data.content_hash", dataset.content_hash},
      {"data.tokenizer", dataset.tokenizer},
      {"data.tokenizer_hash", dataset.tokenizer_hash},
      {"data.seq_len", std::to_string(config.data.seq_len)},
      {"data.micro_batch", std::to_string(config.data.micro_batch)},
      {"data.global_batch", std::to_string(config.data.global_batch)},
      {"precision.param", std::string{name_of(config.precision.param)}},
      {"precision.residual", std::string{name_of(config.precision.residual)}},
      {"run.seed", std::to_string(config.run.seed)},
  };
}

void require_same_training(const Identity& checkpoint, const Identity& now) {
  std::string differences;
  for (const auto& [key, value] : now) {
    if (std::ranges::find(kFree, std::string_view{key}) != kFree.end()) continue;
    const auto found = checkpoint.find(key);
    const std::string was = found == checkpoint.end() ? "(absent)" : found->second;
    if (was != value) differences += fmt::format("\n  {}: {} → {}", key, excerpt(was), value);
  }
  if (!differences.empty()) {
    throw data_error(
        "the checkpoint belongs to another training; start a new run.dir, or set these back "
        "(checkpoint → now):{}",
        differences);
  }
}

const std::string& text_of(const Identity& identity, const std::string& key) {
  const auto found = identity.find(key);
  if (found == identity.end()) throw data_error("the checkpoint's manifest lacks '{}'", key);
  return found->second;
}

std::size_t number_of(const Identity& identity, const std::string& key) {
  const auto number = parse<std::size_t>(identity, key);
  // No size of a model or a batch is larger, and products of two stay whole.
  if (number > UINT32_MAX) throw data_error("the checkpoint's {} = {} is too large", key, number);
  return number;
}

model::Precision precision_of(const Identity& identity) {
  constexpr std::array kTypes{ElementType::fp32, ElementType::bf16, ElementType::fp16};
  return {choice_of(identity, "precision.param", kTypes),
          choice_of(identity, "precision.residual", kTypes)};
}

model::ModelConfig model_of(const Identity& identity) {
  using kernels::NormKind;
  using model::NormPlacement;
  model::ModelConfig config{
      .vocabulary = number_of(identity, "model.vocabulary"),
      .dim = number_of(identity, "model.dim"),
      .layers = number_of(identity, "model.layers"),
      .heads = number_of(identity, "model.heads"),
      .kv_heads = number_of(identity, "model.kv_heads"),
      .ffn = number_of(identity, "model.ffn"),
      .norm = choice_of(identity, "model.norm", std::array{NormKind::rms, NormKind::layer}),
      .norm_placement =
          choice_of(identity, "model.norm_placement",
                    std::array{NormPlacement::pre, NormPlacement::post, NormPlacement::none}),
      .qk_norm = flag_of(identity, "model.qk_norm"),
      .tie_embeddings = flag_of(identity, "model.tie_embeddings"),
      .document_attention = flag_of(identity, "model.document_attention"),
      .norm_epsilon = parse<float>(identity, "model.norm_epsilon"),
      .rope_base = parse<double>(identity, "model.rope_base"),
  };
  config.validate();
  return config;
}

model::ModelConfig model_of(const checkpoint::Manifest& manifest) {
  constexpr std::uint64_t kLargestFile = std::uint64_t{1} << 50;
  const model::ModelConfig config = model_of(manifest.identity);
  std::uint64_t bytes = 0;
  for (const auto& file : manifest.files) bytes += std::min(file.bytes, kLargestFile);
  const bool is_held = config.layers <= manifest.tensors.size() / kMatricesOfBlock &&
                       fits(config.vocabulary, config.dim, bytes) &&
                       fits(config.dim, config.dim, bytes) && fits(config.ffn, config.dim, bytes);
  if (!is_held) {
    throw data_error(
        "the checkpoint's manifest is of {} layers of {} and a vocabulary of {}, which its {} "
        "tensors in {} do not hold",
        config.layers, config.dim, config.vocabulary, manifest.tensors.size(), human_bytes(bytes));
  }
  return config;
}

}  // namespace ballast::train

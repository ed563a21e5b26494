#include "train/offline/generate.hpp"

#include <filesystem>
#include <memory>
#include <span>
#include <system_error>

#include "checkpoint/checkpoint_weights.hpp"
#include "data/tokenizer.hpp"
#include "kernels/gemm/gemm_factory.hpp"
#include "kernels/gemm/gemm_table.hpp"
#include "model/decoder.hpp"
#include "train/offline/text_stream.hpp"
#include "train/plan/memory_fit.hpp"
#include "train/settings/identity.hpp"

namespace ballast::train {

namespace {

/// The tokenizer that the checkpoint was trained with. Bytes need no file; others are in the
/// checkpoint, or, for older checkpoints, in the dataset.
std::unique_ptr<data::Tokenizer> tokenizer_of(const checkpoint::Manifest& manifest,
                                              const std::filesystem::path& folder) {
  const auto& identity = manifest.identity;
  const auto& name = text_of(identity, "data.tokenizer");
  if (name == "bytes") return data::make_byte_tokenizer();
  if (manifest.tokenizer) {
    return data::make_tokenizer(name, checkpoint::tokenizer_model(manifest, folder));
  }
  if (text_of(identity, "data.path").empty()) {
    throw data_error("{}: it was imported without a tokenizer, so it reads and writes no text",
                     folder.string());
  }
  const data::Dataset dataset{text_of(identity, "data.path")};
  if (dataset.info().tokenizer_hash != text_of(identity, "data.tokenizer_hash")) {
    throw data_error("{}: its tokenizer is not the one the checkpoint was trained with",
                     dataset.path().string());
  }
  return data::make_tokenizer(name, dataset.tokenizer_model());
}

/// A model and its tokenizer, read from a checkpoint.
struct Loaded {
  explicit Loaded(const checkpoint::Checked& checkpoint)
      : config{model_of(checkpoint.manifest)},
        seq_len{number_of(checkpoint.manifest.identity, "data.seq_len")},
        table{config},
        parameters{table, model::WholeParameters::Gradients::none} {
    checkpoint::CheckpointWeights weights{table, checkpoint};
    checkpoint::load_weights(table, weights, parameters.all_values());
    tokenizer = tokenizer_of(checkpoint.manifest, checkpoint.folder);
  }

  model::ModelConfig config;
  std::size_t seq_len;
  model::ParameterTable table;
  model::WholeParameters parameters;
  std::unique_ptr<data::Tokenizer> tokenizer;
};

/// A running training may delete the newest checkpoint while it is read; then the search is
/// repeated and finds a newer one.
std::unique_ptr<Loaded> load_newest(const std::filesystem::path& path) {
  for (;;) {
    const auto folder = checkpoint::find_checkpoint(path);
    try {
      const auto checkpoint = checkpoint::check_alone(folder);
      require_fits(plan_generation(model_of(checkpoint.manifest),
                                   number_of(checkpoint.manifest.identity, "data.seq_len")));
      return std::make_unique<Loaded>(checkpoint);
    } catch (const Error&) {
      std::error_code ignored;
      const bool is_gone = !std::filesystem::exists(folder / checkpoint::kManifestName, ignored);
      if (!is_gone || folder == path) throw;
    }
  }
}

}  // namespace

void generate(const GenerateOptions& options, const std::function<void(std::string_view)>& emit) {
  const auto loaded = load_newest(options.checkpoint);
  const auto& tokenizer = loaded->tokenizer;
  const auto gemm = kernels::make_gemm(kernels::GemmTable::shipped());

  auto tokens = tokenizer->encode(options.prompt);
  if (tokens.empty()) tokens.push_back(tokenizer->bos());
  model::Decoder decoder{loaded->config, loaded->table, loaded->parameters, *gemm, loaded->seq_len};
  for (const std::int32_t token : tokens) decoder.feed(token);

  TextStream stream{emit};
  for (std::size_t i = 0; i < options.tokens; ++i) {
    const std::int32_t next = model::sample_token(decoder.logits(), options.rule, options.seed, i);
    if (next == tokenizer->eos() || next == tokenizer->bos()) break;
    stream.add(tokenizer->decode(std::span{&next, 1}));
    decoder.feed(next);
  }
  stream.finish();
}

}  // namespace ballast::train

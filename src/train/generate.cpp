#include <memory>
#include <span>

#include "checkpoint/checkpoint.hpp"
#include "data/tokenizer.hpp"
#include "kernels/gemm_table.hpp"
#include "model/decoder.hpp"
#include "model/sampling.hpp"
#include "train/identity.hpp"
#include "train/text_stream.hpp"
#include "train/trainer.hpp"

namespace ballast::train {

namespace {

/// The tokenizer that the checkpoint was trained with: bytes need no file, others lie in the
/// dataset.
std::unique_ptr<data::Tokenizer> tokenizer_of(const Identity& identity) {
  const auto& name = text_of(identity, "data.tokenizer");
  if (name == "bytes") return data::make_byte_tokenizer();
  const data::Dataset dataset{text_of(identity, "data.path")};
  if (dataset.info().tokenizer_hash != text_of(identity, "data.tokenizer_hash")) {
    throw data_error("{}: its tokenizer is not the one the checkpoint was trained with",
                     dataset.path().string());
  }
  return data::make_tokenizer(name, dataset.tokenizer_model());
}

}  // namespace

ExitCode generate(const GenerateOptions& options,
                  const std::function<void(std::string_view)>& emit) {
  const auto folder = checkpoint::find_checkpoint(options.checkpoint);
  const auto manifest = checkpoint::Manifest::read(folder);
  const auto& identity = manifest.identity;
  const model::ModelConfig config = model_of(manifest);
  const model::ParameterTable table{config};
  model::WholeParameters parameters{table, model::WholeParameters::Gradients::none};
  checkpoint::load_weights(table, folder, parameters.all_values());
  const auto tokenizer = tokenizer_of(identity);
  const auto gemm = kernels::make_gemm(kernels::GemmTable::shipped());

  auto tokens = tokenizer->encode(options.prompt);
  if (tokens.empty()) tokens.push_back(tokenizer->bos());
  model::Decoder decoder{config, table, parameters, *gemm, number_of(identity, "data.seq_len")};
  for (const std::int32_t token : tokens) decoder.feed(token);

  const model::SamplingRule rule{options.temperature, options.top_k, options.top_p};
  TextStream stream{emit};
  for (std::size_t i = 0; i < options.tokens; ++i) {
    const std::int32_t next = model::sample_token(decoder.logits(), rule, options.seed, i);
    if (next == tokenizer->eos() || next == tokenizer->bos()) break;
    stream.add(tokenizer->decode(std::span{&next, 1}));
    decoder.feed(next);
  }
  stream.finish();
  return ExitCode::ok;
}

}  // namespace ballast::train

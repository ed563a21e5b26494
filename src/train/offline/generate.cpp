#include "train/offline/generate.hpp"

#include <algorithm>
#include <memory>
#include <span>
#include <utility>

#include "base/error.hpp"
#include "checkpoint/load_weights.hpp"
#include "data/tokenizers/token_ids.hpp"
#include "data/tokenizers/tokenizer.hpp"
#include "kernels/gemm/gemm_factory.hpp"
#include "kernels/gemm/gemm_table.hpp"
#include "model/decoder.hpp"
#include "train/offline/as_trained.hpp"
#include "train/offline/token_stream.hpp"
#include "train/plan/memory_fit.hpp"
#include "train/settings/identity.hpp"
#include "train/start/saved_model.hpp"

namespace ballast::train {

namespace {

/// Keys and values of a foreign model's whole context may take more memory than its weights.
constexpr std::size_t kForeignContext = 2048;

std::size_t context_for(const GenerateOptions& options, const SavedModel& saved) {
  std::size_t context = kForeignContext;
  if (saved.checkpoint() != nullptr) {
    context = number_of(saved.checkpoint()->manifest.identity, "data.seq_len");
  } else if (saved.model().context != 0) {
    context = std::min(context, saved.model().context);
  }
  context = options.context.value_or(context);
  saved.model().require_context(context, "--context");
  return context;
}

/// What reads the prompt and writes the text. A prompt of token ids needs none, and goes without
/// one that is not computed here.
std::unique_ptr<data::Tokenizer> tokenizer_for(const GenerateOptions& options,
                                               const SavedModel& saved) {
  try {
    return tokenizer_of(saved);
  } catch (const Error&) {
    if (options.prompt_ids.empty() || saved.foreign() == nullptr) throw;
    return nullptr;
  }
}

/// A model to write with.
struct Loaded {
  Loaded(SavedModel found, const GenerateOptions& options, std::size_t its_context)
      : saved{std::move(found)},
        context{its_context},
        table{saved.model()},
        parameters{table, model::WholeParameters::Gradients::none},
        tokenizer{tokenizer_for(options, saved)} {
    checkpoint::load_weights(table, *saved.open(table), parameters.all_values());
  }

  SavedModel saved;
  std::size_t context;
  model::ParameterTable table;
  model::WholeParameters parameters;
  std::unique_ptr<data::Tokenizer> tokenizer;  ///< null: it knows token ids only
};

/// A training that goes on may delete the newest checkpoint while it is read: then there is a newer
/// one.
std::unique_ptr<Loaded> load_newest(const GenerateOptions& options) {
  for (;;) {
    SavedModel saved = find_saved_model_alone(options.checkpoint);
    const std::filesystem::path folder = saved.path();
    try {
      const std::size_t context = context_for(options, saved);
      require_fits(plan_generation(saved.model(), context));
      return std::make_unique<Loaded>(std::move(saved), options, context);
    } catch (const Error&) {
      if (!is_gone(folder) || folder == options.checkpoint) throw;
    }
  }
}

/// The token that a text begins with; -1: nobody says.
std::int32_t begin_of(const Loaded& loaded) {
  if (loaded.tokenizer && loaded.tokenizer->bos() >= 0) return loaded.tokenizer->bos();
  if (loaded.saved.foreign() == nullptr) return -1;
  return loaded.saved.foreign()->special().bos.value_or(-1);
}

/// Tokens that no text goes on after.
std::vector<std::int32_t> ends_of(const Loaded& loaded) {
  std::vector<std::int32_t> ends;
  if (loaded.saved.foreign() != nullptr) ends = loaded.saved.foreign()->special().eos;
  if (loaded.tokenizer) {
    ends.insert(ends.end(), {loaded.tokenizer->eos(), loaded.tokenizer->bos()});
  }
  return ends;
}

std::vector<std::int32_t> prompt_of(const GenerateOptions& options, const Loaded& loaded) {
  auto tokens = options.prompt_ids;
  if (!options.prompt.empty()) {
    if (!loaded.tokenizer) throw no_tokenizer(loaded.saved, "--prompt-ids");
    tokens = loaded.tokenizer->encode_prompt(options.prompt);
  }
  data::require_token_ids(tokens, loaded.saved.model().vocabulary, "--prompt-ids");
  if (!tokens.empty()) return tokens;
  const std::int32_t begin = begin_of(loaded);
  if (begin >= 0) return {begin};
  throw usage_error("{}: no token is known that begins a text: give some with {}",
                    loaded.saved.path().string(), loaded.tokenizer ? "--prompt" : "--prompt-ids");
}

}  // namespace

void generate(const GenerateOptions& options, const std::function<void(std::string_view)>& emit) {
  const auto loaded = load_newest(options);
  const auto gemm = kernels::make_gemm(kernels::GemmTable::shipped());
  const auto prompt = prompt_of(options, *loaded);
  model::Decoder decoder{loaded->saved.model(), loaded->table, loaded->parameters, *gemm,
                         loaded->context};
  for (const std::int32_t token : prompt) decoder.feed(token);

  TokenStream stream{loaded->tokenizer.get(), emit};
  if (options.prompt.empty()) {
    for (const std::int32_t token : prompt) stream.add(token);
  } else {
    emit(options.prompt);  // as it was given, be it text or not
  }
  const auto ends = ends_of(*loaded);
  for (std::size_t i = 0; i < options.tokens; ++i) {
    const std::int32_t next = model::sample_token(decoder.logits(), options.rule, options.seed, i);
    if (std::ranges::find(ends, next) != ends.end()) break;
    stream.add(next);
    decoder.feed(next);
  }
  stream.finish();
}

}  // namespace ballast::train

#include "data/bpe/bpe_trainer.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/checked_cast.hpp"
#include "base/error.hpp"
#include "data/bpe/byte_map.hpp"
#include "data/bpe/merges.hpp"
#include "data/bpe/pair_counts.hpp"
#include "data/bpe/piece.hpp"
#include "data/bpe/pre_tokenizer.hpp"
#include "data/bpe/tokenizer_json.hpp"
#include "data/bpe/word_counts.hpp"

namespace ballast::data {

namespace {

/// What training of byte-level BPE leads to.
struct TrainedBpe {
  std::vector<std::string> pieces;  ///< in the byte map, by id
  std::vector<Merge> merges;        ///< by rank
};

constexpr std::string_view kPreTokenizer = "llama3";
constexpr std::size_t kBytes = 256;
constexpr std::size_t kSpecials = 2;

const PreTokenizer& pre_tokenizer() {
  return *std::ranges::find(known_pre_tokenizers(), kPreTokenizer, &PreTokenizer::name);
}

/// Tokens while they are found: their bytes, and their merges.
class Training {
 public:
  Training();

  void add_words(const WordCounts& words);
  /// Merges until there are `size` tokens, as far as the text goes.
  void run(std::size_t size);
  [[nodiscard]] const TrainedBpe& result() const { return result_; }

 private:
  /// The token of these bytes: two merges may lead to the same one.
  std::int32_t token_of(const std::string& piece);

  TrainedBpe result_;
  std::array<std::int32_t, kBytes> byte_tokens_{};
  std::unordered_map<std::string, std::int32_t> tokens_;
  PairCounts pairs_;
};

/// Bytes in the order of their code points in the byte map, as the `tokenizers` package has them.
Training::Training() {
  std::vector<std::pair<std::string, std::size_t>> alphabet;
  for (std::size_t byte = 0; byte < kBytes; ++byte) {
    alphabet.emplace_back(to_byte_map(std::string(1, static_cast<char>(byte))), byte);
  }
  std::ranges::sort(alphabet);  // UTF-8 keeps the order of code points
  for (const auto& [piece, byte] : alphabet) byte_tokens_[byte] = token_of(piece);
}

std::int32_t Training::token_of(const std::string& piece) {
  const auto [found, is_new] =
      tokens_.emplace(piece, static_cast<std::int32_t>(result_.pieces.size()));
  if (is_new) result_.pieces.push_back(piece);
  return found->second;
}

void Training::add_words(const WordCounts& words) {
  std::vector<std::int32_t> tokens;
  for (const auto& [word, count] : words.all()) {
    tokens.clear();
    for (const char byte : word) tokens.push_back(byte_tokens_[static_cast<unsigned char>(byte)]);
    pairs_.add_word(tokens, count);
  }
}

void Training::run(std::size_t size) {
  while (result_.pieces.size() < size) {
    const auto pair = pairs_.most_frequent();
    if (!pair) return;
    const std::string& left = result_.pieces[static_cast<std::size_t>(pair->left)];
    const std::string& right = result_.pieces[static_cast<std::size_t>(pair->right)];
    const std::int32_t whole = token_of(left + right);
    result_.merges.push_back({pair->left, pair->right, whole});
    pairs_.merge(*pair, whole);
  }
}

/// With the special tokens behind the others.
TokenizerContent content_of(const TrainedBpe& trained) {
  TokenizerContent content{.kind = TokenizerKind::byte_level_bpe,
                           .pre_tokenizer = std::string{pre_tokenizer().gguf_name_of_whole_pieces}};
  for (const std::string& piece : trained.pieces) content.entries.push_back({piece});
  for (const std::string_view special : {kBeginOfText, kEndOfText}) {
    content.entries.push_back({std::string{special}, PieceKind::control});
  }
  const auto text_of = [&](std::int32_t id) {
    return trained.pieces[static_cast<std::size_t>(id)];
  };
  for (const Merge& merge : trained.merges) {
    content.merges.push_back(text_of(merge.left) + " " + text_of(merge.right));
  }
  return content;
}

}  // namespace

std::string train_bpe(std::size_t vocabulary, const NextText& next) {
  if (vocabulary <= kBytes + kSpecials || vocabulary > kLargestBpeVocabulary) {
    throw usage_error("a vocabulary of {} cannot be trained: choose one from {} to {}", vocabulary,
                      kBytes + kSpecials + 1, kLargestBpeVocabulary);
  }
  WordCounts words{pre_tokenizer().rule};
  std::string text;
  while (next(text)) words.add(text);
  Training training;
  training.add_words(words);
  training.run(vocabulary - kSpecials);
  if (const std::size_t size = training.result().pieces.size() + kSpecials; size < vocabulary) {
    throw data_error("cannot train a vocabulary of {}: the text has pieces for {} at most",
                     vocabulary, size);
  }
  const auto begin = checked_cast<std::int32_t>(vocabulary - kSpecials);
  return tokenizer_json(content_of(training.result()), std::span{&begin, 1});
}

}  // namespace ballast::data

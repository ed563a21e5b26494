// encode_text TOKENIZER.json TEXT IDS: writes the tokens of a text as 32-bit numbers, and on
// standard output the seconds of a processor that it took. The text is encoded twice, whole and cut
// in many places; an error if the two differ.
#include <cstdio>
#include <ctime>
#include <exception>
#include <vector>

#include "base/error.hpp"
#include "data/bpe/bpe_json.hpp"
#include "data/bpe/bpe_tokenizer.hpp"
#include "data/bpe/character_bpe.hpp"
#include "storage/files.hpp"

namespace {

using ballast::data::BpeTokenizer;
using ballast::data::CharacterBpe;
using Tokens = std::vector<std::int32_t>;

constexpr std::uint64_t kLargestInput = std::uint64_t{1} << 30;

Tokens encode_rest(BpeTokenizer& tokenizer, std::string_view text) {
  return tokenizer.encode(text);
}

Tokens encode_rest(CharacterBpe& tokenizer, std::string_view text) {
  return tokenizer.encode(text, CharacterBpe::Beginning::before);
}

template <class Tokenizer>
Tokens encode_in_parts(Tokenizer& tokenizer, std::string_view text) {
  Tokens tokens;
  for (std::size_t part = 0; !text.empty(); ++part) {
    const std::size_t cut = tokenizer.cut(text, 50 + part * 37 % 500);
    const std::string_view next = text.substr(0, cut == 0 ? text.size() : cut);
    const Tokens more = part == 0 ? tokenizer.encode(next) : encode_rest(tokenizer, next);
    tokens.insert(tokens.end(), more.begin(), more.end());
    text.remove_prefix(next.size());
  }
  return tokens;
}

template <class Tokenizer>
Tokens encode(Tokenizer tokenizer, std::string_view text) {
  const std::clock_t start = std::clock();
  Tokens tokens = tokenizer.encode(text);
  std::printf("%.3f\n", static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC);
  if (encode_in_parts(tokenizer, text) != tokens) {
    throw ballast::internal_error("the tokens of a text in parts are others");
  }
  return tokens;
}

void run(const char* json_path, const char* text_path, const char* ids_path) {
  const std::string json = ballast::storage::read_text(json_path, kLargestInput);
  const std::string text = ballast::storage::read_text(text_path, kLargestInput);
  const Tokens tokens =
      ballast::data::is_character_bpe(ballast::data::parse_tokenizer_json(json))
          ? encode(CharacterBpe{ballast::data::read_character_bpe_model(json)}, text)
          : encode(BpeTokenizer{ballast::data::read_bpe_model(json)}, text);
  ballast::storage::OutputFile file{ids_path};
  file.write({reinterpret_cast<const char*>(tokens.data()), tokens.size() * sizeof tokens[0]});
  file.close();
}

}  // namespace

int main(int count, char** words) {
  if (count != 4) {
    std::fputs("usage: encode_text TOKENIZER.json TEXT IDS\n", stderr);
    return 2;
  }
  try {
    run(words[1], words[2], words[3]);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "encode_text: %s\n", error.what());
    return 1;
  }
}

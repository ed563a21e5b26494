#include "data/bpe/piece_scanner.hpp"

#include <gtest/gtest.h>

#include "data/bpe/fixture.hpp"
#include "data/bpe/pre_tokenizer.hpp"

namespace ballast::data {
namespace {

using Pieces = std::vector<std::string>;

Pieces pieces_of(const PieceScanner& scanner, std::string_view text) {
  Pieces pieces;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = scanner.piece_end(text, at);
    pieces.emplace_back(text.substr(at, end - at));
    at = end;
  }
  return pieces;
}

TEST(PieceScanner, CutsWhereTheTokenizersPackageDoes) {
  const Json cases = parse_json(test::tokenizer_fixture("pieces.json"));
  for (const PreTokenizer& known : known_pre_tokenizers()) {
    const PieceScanner scanner{known.rule};
    const Json& texts = cases.at(std::string{known.name});
    ASSERT_GT(texts.size(), 30u);
    for (const Json& text : texts) {
      EXPECT_EQ(pieces_of(scanner, text[0].get<std::string>()), text[1].get<Pieces>())
          << known.name << ": " << text[0];
    }
  }
}

}  // namespace
}  // namespace ballast::data

#include "data/bpe/added_tokens_json.hpp"

#include <unordered_set>

#include "base/error.hpp"
#include "base/text.hpp"

namespace ballast::data {

namespace {

AddedToken read_one(const JsonFields& fields) {
  fields.allow({"id", "content", "single_word", "lstrip", "rstrip", "normalized", "special"});
  const auto blanks = [&](std::string_view name) {
    return fields.boolean(name) ? BlanksBeside::belong_to_it : BlanksBeside::stay;
  };
  AddedToken token;
  token.content = fields.text("content");
  token.looked_for_in =
      fields.boolean("normalized") ? LookedForIn::normalized_text : LookedForIn::raw_text;
  token.words = fields.boolean("single_word") ? OfWords::single : OfWords::any;
  token.before = blanks("lstrip");
  token.behind = blanks("rstrip");
  token.special = fields.boolean("special");
  if (token.content.empty() || token.content.size() > AddedTokenFinder::kLongest) {
    throw data_error("the added token '{}' has {} bytes, not 1 to {}", excerpt(token.content),
                     token.content.size(), AddedTokenFinder::kLongest);
  }
  return token;
}

}  // namespace

std::vector<AddedToken> read_added_tokens(const JsonFields& document, Vocabulary& vocabulary) {
  std::vector<AddedToken> tokens;
  std::unordered_set<std::string> contents;
  for (const Json& value : document.list("added_tokens")) {
    const JsonFields fields{value, fmt::format("added_tokens[{}]", tokens.size())};
    AddedToken token = read_one(fields);
    if (!contents.insert(token.content).second) {
      throw data_error("the added token '{}' stands there twice", excerpt(token.content));
    }
    token.id =
        vocabulary.add(token.content, token.special ? PieceKind::control : PieceKind::user_defined,
                       whole_number(fields.value("id"), fields.name_of("id")));
    tokens.push_back(std::move(token));
  }
  return tokens;
}

}  // namespace ballast::data

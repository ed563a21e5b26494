#include "data/bpe/bpe_model.hpp"

#include <functional>
#include <gtest/gtest.h>

#include "data/bpe/bpe_tokenizer.hpp"
#include "data/bpe/fixture.hpp"
#include "support/temporary_folder.hpp"

namespace ballast::data {
namespace {

using test::data_error_of;

Json document(std::string_view name = "llama3") {
  return parse_json(test::tokenizer_fixture(std::string{name} + ".json"));
}

BpeModel read(const Json& value) { return read_bpe_model(value.dump()); }

/// What is said of the small Llama 3 tokenizer once `change` was made to it.
std::string refusal(const std::function<void(Json&)>& change) {
  Json value = document();
  change(value);
  return data_error_of([&] { (void)read(value); });
}

Json& split_of(Json& value) { return value["pre_tokenizer"]["pretokenizers"][0]; }

TEST(BpeModel, HasWhatAnExportNeeds) {
  const BpeModel model = read(document());
  EXPECT_EQ(model.pre_tokenizer->name, "llama3");
  EXPECT_EQ(model.pre_tokenizer->gguf_name_of_whole_pieces, "llama-bpe");
  EXPECT_EQ(model.whole_pieces, WholePieces::taken);
  ASSERT_EQ(model.pieces.size(), 256u + 280u + 8u);
  EXPECT_EQ(model.merges.size(), 280u);
  const Merge& first = model.merges.front();
  const auto text = [&](std::int32_t id) {
    return model.pieces[static_cast<std::size_t>(id)].text;
  };
  EXPECT_EQ(text(first.whole), text(first.left) + text(first.right));
  EXPECT_EQ(model.pieces[536].kind, PieceKind::user_defined);
  EXPECT_EQ(model.pieces[536].text, "<|end|>s");
  EXPECT_EQ(model.pieces[543].kind, PieceKind::control);
  EXPECT_EQ(model.pieces[0].kind, PieceKind::normal);
}

TEST(BpeModel, MergesMayBeTextsOrPairs) {
  Json value = document();
  const BpeModel pairs = read(value);
  for (Json& merge : value["model"]["merges"]) {
    merge = merge[0].get<std::string>() + " " + merge[1].get<std::string>();
  }
  const BpeModel texts = read(value);
  ASSERT_EQ(pairs.merges.size(), texts.merges.size());
  for (std::size_t i = 0; i < pairs.merges.size(); ++i) {
    ASSERT_EQ(pairs.merges[i].whole, texts.merges[i].whole);
  }
}

TEST(BpeModel, ReadsWhatStandsAroundAText) {
  Json value = document();
  value["post_processor"] = parse_json(R"({"type":"Sequence","processors":[
    {"type":"ByteLevel","add_prefix_space":true,"trim_offsets":false,"use_regex":true},
    {"type":"TemplateProcessing",
     "single":[{"SpecialToken":{"id":"<|begin|>","type_id":0}},{"Sequence":{"id":"A","type_id":0}},
               {"SpecialToken":{"id":"<|end|>","type_id":0}}],
     "pair":[],
     "special_tokens":{"<|begin|>":{"id":"<|begin|>","ids":[542],"tokens":["<|begin|>"]},
                       "<|end|>":{"id":"<|end|>","ids":[543],"tokens":["<|end|>"]}}}]})");
  EXPECT_EQ(read(value).around.before, std::vector<std::int32_t>{542});
  EXPECT_EQ(read(value).around.behind, std::vector<std::int32_t>{543});
  value["post_processor"]["processors"][1]["special_tokens"]["<|end|>"]["ids"][0] = 544;
  EXPECT_NE(data_error_of([&] { (void)read(value); }).find("544"), std::string::npos);
  value["post_processor"]["processors"][1]["special_tokens"].erase("<|end|>");
  EXPECT_NE(data_error_of([&] { (void)read(value); }).find("<|end|>"), std::string::npos);
}

TEST(BpeModel, SettingsOfBatchesAreNoMatter) {
  Json value = document();
  value["truncation"] = {{"max_length", 4}};
  value["padding"] = {{"strategy", "BatchLongest"}};
  EXPECT_EQ(read(value).pieces.size(), 544u);
}

TEST(BpeModel, KnowsASplitThatKeepsWhatItMatches) {
  Json value = document();
  split_of(value)["behavior"] = "Removed";
  split_of(value)["invert"] = true;
  EXPECT_EQ(read(value).pre_tokenizer->name, "llama3");
}

TEST(BpeModel, UnknownPreTokenizersAreRefusedByName) {
  const std::vector<std::pair<std::function<void(Json&)>, std::string>> cases{
      {[](Json& v) { split_of(v)["pattern"]["Regex"] = R"(\p{L}+|\s+)"; }, R"(\p{L}+|\s+)"},
      {[](Json& v) {
         split_of(v)["pattern"] = {{"String", " "}};
       },
       "String"},
      {[](Json& v) { split_of(v)["behavior"] = "Removed"; }, "Removed"},
      {[](Json& v) { split_of(v)["invert"] = true; }, "invert"},
      {[](Json& v) { split_of(v)["more"] = true; }, "more"},
      {[](Json& v) { split_of(v)["type"] = "Punctuation"; }, "Punctuation"},
      {[](Json& v) { v["pre_tokenizer"]["pretokenizers"][1]["use_regex"] = true; }, "use_regex"},
      {[](Json& v) { v["pre_tokenizer"]["pretokenizers"][1]["add_prefix_space"] = true; },
       "add_prefix_space"},
      {[](Json& v) { v["pre_tokenizer"]["pretokenizers"].erase(1); }, "ByteLevel"},
      {[](Json& v) { v["pre_tokenizer"]["pretokenizers"].erase(0); }, "ByteLevel"},
      {[](Json& v) { v["pre_tokenizer"] = nullptr; }, "pre_tokenizer"},
      {[](Json& v) {
         v["pre_tokenizer"]["pretokenizers"].insert(
             v["pre_tokenizer"]["pretokenizers"].begin(),
             Json{{"type", "Digits"}, {"individual_digits", true}});
       },
       "Digits"},
  };
  for (const auto& [change, words] : cases) {
    const std::string message = refusal(change);
    EXPECT_NE(message.find(words), std::string::npos) << message;
  }
  const std::string message = refusal(cases.front().first);
  EXPECT_NE(message.find("gpt2, smollm, llama3, qwen2"), std::string::npos) << message;
}

TEST(BpeModel, OtherThingsThatAreNotKnownAreRefusedByName) {
  const std::vector<std::pair<std::function<void(Json&)>, std::string>> cases{
      {[](Json& v) {
         v["normalizer"] = {{"type", "NFKC"}};
       },
       "NFKC"},
      {[](Json& v) {
         v["post_processor"] = {{"type", "RobertaProcessing"}};
       },
       "RobertaProcessing"},
      {[](Json& v) {
         v["decoder"] = {{"type", "WordPiece"}};
       },
       "WordPiece"},
      {[](Json& v) { v["model"]["type"] = "Unigram"; }, "Unigram"},
      {[](Json& v) { v["model"]["dropout"] = 0.1; }, "dropout"},
      {[](Json& v) { v["model"]["byte_fallback"] = true; }, "byte_fallback"},
      {[](Json& v) { v["model"]["continuing_subword_prefix"] = "##"; },
       "model.continuing_subword_prefix"},
      {[](Json& v) { v["model"]["end_of_word_suffix"] = "</w>"; }, "model.end_of_word_suffix"},
      {[](Json& v) { v["model"]["unk_token"] = "<nothing>"; }, "<nothing>"},
      {[](Json& v) { v["model"]["more"] = 1; }, "model.more"},
      {[](Json& v) { v["more"] = 1; }, "more"},
      {[](Json& v) { v["added_tokens"][0]["more"] = 1; }, "added_tokens[0].more"},
      {[](Json& v) { v.erase("model"); }, "model is missing"},
      {[](Json& v) { v = Json::array(); }, "not an object"},
  };
  for (const auto& [change, words] : cases) {
    const std::string message = refusal(change);
    EXPECT_NE(message.find(words), std::string::npos) << message;
  }
}

TEST(BpeModel, BadVocabulariesAndMergesAreRefused) {
  const std::vector<std::pair<std::function<void(Json&)>, std::string>> cases{
      {[](Json& v) {
         v["model"]["merges"].push_back(Json{"q", "xyz"});
       },
       "merge 280"},
      {[](Json& v) {
         v["model"]["merges"].push_back(Json{"q", "Q"});
       },
       "names 'qQ'"},
      {[](Json& v) { v["model"]["merges"].push_back("a b c"); }, "merge 280"},
      {[](Json& v) { v["model"]["merges"].push_back("ab"); }, "merge 280"},
      {[](Json& v) { v["model"]["merges"].push_back(Json{"a"}); }, "merge 280"},
      {[](Json& v) { v["model"]["merges"].push_back(7); }, "merge 280"},
      {[](Json& v) { v["model"]["vocab"]["zebra"] = 5; }, "the same id, 5"},
      {[](Json& v) { v["model"]["vocab"]["zebra"] = -1; }, "zebra"},
      {[](Json& v) { v["model"]["vocab"]["zebra"] = 1e300; }, "zebra"},
      {[](Json& v) { v["model"]["vocab"]["zebra"] = 4'000'000'000u; }, "4000000000"},
      {[](Json& v) { v["model"]["vocab"]["zebra"] = 1'000'000; }, "far beyond"},
      {[](Json& v) { v["model"]["vocab"]["zebra"] = "5"; }, "zebra"},
      {[](Json& v) { v["added_tokens"][0]["id"] = 999; }, "<|end|>s"},
      {[](Json& v) { v["added_tokens"][1]["content"] = "<|end|>s"; }, "twice"},
      {[](Json& v) { v["added_tokens"][0]["content"] = ""; }, "0 bytes"},
      {[](Json& v) { v["added_tokens"][0]["content"] = std::string(2000, 'x'); }, "2000 bytes"},
      {[](Json& v) { v["added_tokens"][0].erase("lstrip"); }, "added_tokens[0].lstrip"},
  };
  for (const auto& [change, words] : cases) {
    const std::string message = refusal(change);
    EXPECT_NE(message.find(words), std::string::npos) << message;
  }
  Json twice = document();
  twice["model"]["merges"].push_back(twice["model"]["merges"][3]);
  const std::string message = data_error_of([&] { (void)BpeTokenizer{read(twice)}; });
  EXPECT_NE(message.find("merges 3 and 280"), std::string::npos) << message;
}

TEST(BpeModel, AddedTokensThatNormalizationMakesTheSameAreRefused) {
  Json value = document("qwen2");
  Json token = value["added_tokens"].back();
  for (const std::string content : {"e\u0301x", "\u00e9x"}) {
    token["id"] = 536 + value["added_tokens"].size();
    token["content"] = content;
    token["normalized"] = true;
    value["added_tokens"].push_back(token);
  }
  const std::string message = data_error_of([&] { (void)BpeTokenizer{read(value)}; });
  EXPECT_NE(message.find("544 and 545"), std::string::npos) << message;
  for (Json& added : value["added_tokens"]) added["normalized"] = false;
  EXPECT_EQ(BpeTokenizer{read(value)}.encode("e\u0301x\u00e9x").size(), 2u);
}

TEST(BpeModel, KeysThatStandTwiceAreRefused) {
  std::string text = test::tokenizer_fixture("llama3.json");
  text.replace(text.find("\"vocab\":{"), 9, "\"vocab\":{\"a\":70000,");
  EXPECT_NE(data_error_of([&] { (void)read_bpe_model(text); }).find("'a' stands twice"),
            std::string::npos);
}

TEST(BpeModel, BytesWithoutATokenAreLeftOutOrUnknown) {
  Json value = document("gpt2");
  value["added_tokens"] = Json::array();
  value["model"]["vocab"].erase("X");
  BpeTokenizer without{read(value)};
  EXPECT_EQ(without.decode(without.encode("aXb")), "ab");
  value["model"]["unk_token"] = "Q";
  BpeTokenizer unknown{read(value)};
  EXPECT_EQ(unknown.decode(unknown.encode("aXb")), "aQb");
}

TEST(BpeModel, TooMuchIsRefused) {
  (void)data_error_of([] { (void)read_bpe_model(std::string(70u << 20, ' ')); });
  std::string many = "[";
  while (many.size() < (30u << 20)) many += "{},";
  many += "0]";
  EXPECT_NE(data_error_of([&] { (void)read_bpe_model(many); }).find("more values"),
            std::string::npos);
}

}  // namespace
}  // namespace ballast::data

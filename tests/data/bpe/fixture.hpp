#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.hpp"
#include "data/bpe/bpe_tokenizer.hpp"
#include "storage/files.hpp"

namespace ballast::test {

inline std::string tokenizer_fixture(std::string_view name) {
  return storage::read_text(std::filesystem::path{BALLAST_FIXTURES} / "tokenizers" / name);
}

/// The small tokenizer of a known pre-tokenizer.
inline data::BpeTokenizer small_tokenizer(std::string_view name) {
  return data::BpeTokenizer{data::read_bpe_model(tokenizer_fixture(std::string{name} + ".json"))};
}

/// Texts, and the ids that the tokenizers package gives for them.
inline std::vector<std::pair<std::string, std::vector<std::int32_t>>> tokenizer_cases(
    std::string_view name) {
  return parse_json(tokenizer_fixture(std::string{name} + ".cases.json"))
      .get<std::vector<std::pair<std::string, std::vector<std::int32_t>>>>();
}

}  // namespace ballast::test

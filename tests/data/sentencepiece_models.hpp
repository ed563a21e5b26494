#pragma once

#include <array>
#include <cstdint>
#include <gtest/gtest.h>
#include <sentencepiece_trainer.h>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "data/tokenizers/sentencepiece_trainer.hpp"

namespace ballast::test {

/// Some text of many words, the same each time.
inline std::string prose(std::size_t lines) {
  static constexpr std::array<std::string_view, 12> kWords{
      "In",  "the",    "beginning", "God",     "created", "heaven",
      "and", "earth.", "  Now",     "waters,", "größer",  "東京"};
  std::string text;
  std::uint32_t state = 1;
  for (std::size_t line = 0; line < lines; ++line) {
    for (int word = 0; word < 9; ++word) {
      state = state * 1664525u + 1013904223u;
      text += kWords[(state >> 16) % kWords.size()];
      text += ' ';
    }
    text += '\n';
  }
  return text;
}

inline std::vector<std::uint8_t> train(std::size_t vocabulary, std::string text) {
  bool given = false;
  return data::train_sentencepiece(vocabulary, [&](std::string& out) {
    out = text;
    return !std::exchange(given, true);
  });
}

inline const std::vector<std::uint8_t>& trained_model() {
  static const auto model = train(350, prose(200));
  return model;
}

/// A model trained with the library's own defaults, but for `settings`.
inline std::vector<std::uint8_t> foreign_model(
    std::unordered_map<std::string, std::string> settings) {
  struct Lines final : sentencepiece::SentenceIterator {
    bool done() const override { return left == 0; }
    void Next() override { --left; }
    const std::string& value() const override { return text; }
    sentencepiece::util::Status status() const override { return {}; }
    int left = 50;
    std::string text = "In the beginning God created the heaven and the earth";
  } lines;
  settings.insert({{"model_type", "bpe"}, {"minloglevel", "3"}, {"vocab_size", "330"}});
  std::string model;
  const auto status = sentencepiece::SentencePieceTrainer::Train(settings, &lines, &model);
  EXPECT_TRUE(status.ok()) << status.ToString();
  return {model.begin(), model.end()};
}

}  // namespace ballast::test

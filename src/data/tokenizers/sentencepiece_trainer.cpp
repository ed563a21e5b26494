#include "data/tokenizers/sentencepiece_trainer.hpp"

#include <exception>
#include <sentencepiece_trainer.h>
#include <string_view>

#include "base/error.hpp"
#include "data/tokenizers/tokenizer.hpp"

namespace ballast::data {

namespace {

constexpr std::size_t kSentenceBytes = 4096;

/// The text as the trainer wants it: lines without their ends, long ones cut. An exception of the
/// text's source is kept: it may not pass through the trainer.
class Sentences final : public sentencepiece::SentenceIterator {
 public:
  explicit Sentences(const NextText& next) : next_{next} { advance(); }

  [[nodiscard]] bool done() const override { return done_; }
  void Next() override { advance(); }
  [[nodiscard]] const std::string& value() const override { return sentence_; }
  [[nodiscard]] sentencepiece::util::Status status() const override { return {}; }

  void rethrow() const {
    if (error_) std::rethrow_exception(error_);
  }

 private:
  void advance() {
    sentence_.clear();
    while (sentence_.empty() && !done_) {
      if (rest_.empty()) refill();
      take_line();
    }
  }

  void refill() {
    try {
      done_ = !next_(text_);
    } catch (...) {
      error_ = std::current_exception();
      done_ = true;
    }
    if (!done_) rest_ = text_;
  }

  void take_line() {
    const std::string_view line = rest_.substr(0, rest_.find('\n'));
    sentence_ = line.substr(0, encoding_cut(line, kSentenceBytes));
    const bool whole = sentence_.size() == line.size() && line.size() < rest_.size();
    rest_.remove_prefix(sentence_.size() + (whole ? 1 : 0));
  }

  const NextText& next_;
  std::string text_;
  std::string_view rest_;
  std::string sentence_;
  bool done_ = false;
  std::exception_ptr error_;
};

/// The digits that follow `words` in a message.
std::string_view number_behind(std::string_view message, std::string_view words) {
  const auto at = message.find(words);
  if (at == std::string_view::npos) return {};
  message.remove_prefix(at + words.size());
  return message.substr(0, message.find_first_not_of("0123456789"));
}

/// Why training failed, where the trainer's words are known, in terms of what a person can change;
/// else its own, without its source file and expression: "Internal: f.cc(66) [a == b] words".
std::string reason(std::string_view message) {
  if (message.find("too high") != std::string_view::npos) {
    return fmt::format("the text has pieces for {} at most", number_behind(message, "<= "));
  }
  if (message.find("smaller than required_chars") != std::string_view::npos) {
    return fmt::format("the characters of the text alone need {}", number_behind(message, " vs "));
  }
  const auto bracket = message.rfind("] ");
  return std::string{bracket == std::string_view::npos ? message : message.substr(bracket + 2)};
}

}  // namespace

std::vector<std::uint8_t> train_sentencepiece(std::size_t vocabulary, const NextText& next) {
  Sentences sentences{next};
  std::string model;
  const auto status = sentencepiece::SentencePieceTrainer::Train(
      {{"model_type", "bpe"},
       {"vocab_size", std::to_string(vocabulary)},
       {"byte_fallback", "true"},
       {"normalization_rule_name", "identity"},
       {"add_dummy_prefix", "false"},
       {"remove_extra_whitespaces", "false"},
       {"allow_whitespace_only_pieces", "true"},
       {"user_defined_symbols", "\n"},
       {"max_sentence_length", std::to_string(kSentenceBytes)},
       {"num_threads", "1"},
       {"minloglevel", "3"}},
      &sentences, &model);
  sentences.rethrow();
  if (!status.ok()) {
    throw data_error("cannot train a SentencePiece vocabulary of {}: {}", vocabulary,
                     reason(status.error_message()));
  }
  return {model.begin(), model.end()};
}

}  // namespace ballast::data

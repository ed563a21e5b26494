#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ballast::data {

/// Which text an added token is looked for in.
enum class LookedForIn { raw_text, normalized_text };
enum class OfWords { any, single };  ///< `single`: not beside characters of a word
enum class BlanksBeside { stay, belong_to_it };

/// A token that is found in a text before anything else is done with the text: `added_tokens` of a
/// tokenizer.json.
struct AddedToken {
  std::int32_t id = -1;
  std::string content;
  LookedForIn looked_for_in = LookedForIn::raw_text;
  OfWords words = OfWords::any;
  BlanksBeside before = BlanksBeside::stay;  ///< `lstrip`
  BlanksBeside behind = BlanksBeside::stay;  ///< `rstrip`
  bool special = false;
};

/// Finds added tokens as the `tokenizers` package does: from left to right, of those that begin at
/// a place the longest; what is found is not looked into again. One that is refused by what stands
/// beside it hides the shorter ones that begin there, and what it covers.
class AddedTokenFinder {
 public:
  /// Contents of 1 to kLongest bytes. Throws a data Error that names two of the same content, as
  /// normalizers may make them: which of them is found would be left to chance.
  explicit AddedTokenFinder(std::vector<AddedToken> tokens);

  static constexpr std::size_t kLongest = 1024;

  struct Found {
    std::size_t begin;
    std::size_t end;
    std::int32_t id;
  };

  /// The first one in `text` that begins at byte `from` or behind; blanks that belong to it do not
  /// reach back before `from`. A search goes on at `next` of the one before.
  struct Search {
    std::size_t next = 0;  ///< where to look
    std::size_t left = 0;  ///< what ends before here is another token's
  };
  [[nodiscard]] std::optional<Found> find(std::string_view text, Search& search) const;

  /// Whether a token that begins at byte `at` or before ends behind it or at it, or begins there,
  /// or may do so in a text that goes on behind `text`.
  [[nodiscard]] bool touches(std::string_view text, std::size_t at) const;
  [[nodiscard]] std::size_t longest() const { return longest_; }  ///< bytes
  [[nodiscard]] bool empty() const { return tokens_.empty(); }

 private:
  [[nodiscard]] const AddedToken* longest_at(std::string_view text, std::size_t at) const;
  [[nodiscard]] bool may_reach(std::string_view text, std::size_t begin, std::size_t at) const;
  [[nodiscard]] bool stands_alone(std::string_view text, std::size_t begin, std::size_t end) const;

  std::vector<AddedToken> tokens_;     ///< by content
  std::array<bool, 256> first_bytes_;  ///< of their contents
  std::size_t longest_ = 0;
};

/// Calls `visit_token` with each token that is found, `visit_text` with the texts between them.
template <class VisitText, class VisitToken>
void split_at_tokens(const AddedTokenFinder& finder, std::string_view text, VisitText visit_text,
                     VisitToken visit_token) {
  std::size_t done = 0;
  AddedTokenFinder::Search search;
  while (const auto found = finder.find(text, search)) {
    if (found->begin > done) visit_text(text.substr(done, found->begin - done));
    visit_token(found->id);
    done = found->end;
  }
  if (done < text.size()) visit_text(text.substr(done));
}

}  // namespace ballast::data

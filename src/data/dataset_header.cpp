#include "data/dataset_header.hpp"

#include <fmt/format.h>
#include <string_view>

#include "base/error.hpp"
#include "data/dataset_names.hpp"

namespace ballast::data {

namespace {

/// Takes a line off the front of `text`.
std::string_view next_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return line;
}

}  // namespace

std::string describe_header(const storage::H5Reader& file, std::span<const HeaderPart> parts) {
  std::string text;
  for (const char* name : {kTokenizerName, kTokenizerHash, kContentHash, kSplitRule}) {
    text += fmt::format("{} = {}\n", name, file.text_attribute(name));
  }
  for (const char* name : {kFormatVersion, kVocabulary, kRawBytes, kWeightedTokens}) {
    text += fmt::format("{} = {}\n", name, file.number_attribute(name));
  }
  for (const Split split : {Split::train, Split::validation}) {
    for (const char* what : {"tokens", "max_token"}) {
      const std::string name = attribute_of(split, what);
      text += fmt::format("{} = {}\n", name, file.number_attribute(name));
    }
  }
  for (const HeaderPart& part : parts) {
    text += fmt::format("{}: {} elements, {}, hash {}\n", part.name, file.size(part.name),
                        file.storage(part.name), part.hash.hex());
  }
  return text;
}

void require_same_header(const storage::H5Reader& file, const std::string& written,
                         const std::string& found) {
  if (written == found) return;
  std::string_view before = written;
  std::string_view now = found;
  std::string_view was;
  std::string_view is;
  do {
    was = next_line(before);
    is = next_line(now);
  } while (was == is && !(before.empty() && now.empty()));
  throw data_error(
      "'{}' is damaged or was changed since it was prepared: it has '{}' where '{}' was written; "
      "copy the file again, or prepare it anew",
      file.path().string(), is, was);
}

}  // namespace ballast::data

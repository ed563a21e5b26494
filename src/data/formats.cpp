#include "data/formats.hpp"

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>
#include <string_view>

#include "base/error.hpp"
#include "data/content.hpp"
#include "data/dataset_names.hpp"
#include "data/json_document.hpp"
#include "storage/files.hpp"
#include "storage/h5/reader.hpp"

namespace ballast::data {

namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

std::string head_of(const Source& source) {
  std::string head(kHeadBytes, '\0');
  head.resize(storage::InputFile{source.path, storage::Inputs::any}.read(head));
  return head;
}

std::string lower_extension(const std::filesystem::path& name) {
  std::string extension = name.extension().string();
  std::ranges::transform(extension, extension.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return extension;
}

/// The lines at the start of a file, without blank ones; the last may be cut off.
class FirstLines {
 public:
  explicit FirstLines(std::string_view head) : rest_{head} {
    if (rest_.starts_with(kByteOrderMark)) rest_.remove_prefix(kByteOrderMark.size());
  }
  [[nodiscard]] std::string_view next() {
    std::string_view line;
    while (line.empty() && !rest_.empty()) {
      const auto end = std::min(rest_.find('\n'), rest_.size());
      line = rest_.substr(0, end);
      rest_.remove_prefix(std::min(end + 1, rest_.size()));
      line.remove_prefix(std::min(line.find_first_not_of(" \t\r"), line.size()));
    }
    return line;
  }

 private:
  std::string_view rest_;
};

bool is_object(std::string_view line) {
  return line.starts_with('{') && nlohmann::json::accept(line);
}

bool is_document(std::string_view line, const std::string& field) {
  try {
    (void)parse_document(line, field);
    return true;
  } catch (const Error&) {
    return false;
  }
}

/// `"text":` stands somewhere in it.
bool mentions(std::string_view json, const std::string& field) {
  const std::string key = '"' + field + '"';
  for (auto at = json.find(key); at != std::string_view::npos; at = json.find(key, at + 1)) {
    const auto behind = json.find_first_not_of(" \t\r\n", at + key.size());
    if (behind != std::string_view::npos && json[behind] == ':') return true;
  }
  return false;
}

/// The first line is a document, or the first two are objects. Of a line that is longer than what
/// was read of the file, its start decides.
bool looks_like_json_lines(std::string_view head, const std::string& field) {
  FirstLines lines{head};
  const std::string_view first = lines.next();
  const bool cut_off = head.size() == kHeadBytes && first.end() == head.end();
  if (cut_off) return first.starts_with('{') && mentions(first, field);
  return is_document(first, field) || (is_object(first) && is_object(lines.next()));
}

/// JSON, but not a document a line: "[{"text": ...", or an object over several lines.
bool looks_like_other_json(std::string_view head, const std::string& field) {
  const std::string_view first = FirstLines{head}.next();
  return (first.starts_with('[') || first.starts_with('{')) && mentions(head, field);
}

SourceFormat format_of(const Source& source, std::string_view head, const std::string& field) {
  const std::string extension = lower_extension(source.name);
  if (extension == ".jsonl" || extension == ".ndjson") return SourceFormat::jsonl;
  if (looks_like_json_lines(head, field)) return SourceFormat::jsonl;
  if (extension == ".json" && looks_like_other_json(head, field)) {
    throw data_error(
        "'{}' holds JSON, but not one object per line: convert it, for example with jq -c '.[]' "
        "'{}', or read it as it is with --format text",
        source.name, source.name);
  }
  return SourceFormat::text;
}

/// Settles one source; false if it is left out.
bool settle(Source& source, FormatChoice choice, const std::string& field, LeftOutFiles& left_out) {
  const std::string head = head_of(source);
  const Content content = recognize(head);
  const auto leave_out = [&](LeftOut why) {
    left_out.add(why, source.name);
    return false;
  };
  if (content.kind == ContentKind::hdf5 && is_own_dataset(source.path)) {
    if (source.origin == Origin::folder) return leave_out(LeftOut::own_dataset);
    throw data_error("'{}' is a dataset of this program and holds no text: leave it out",
                     source.name);
  }
  if (choice == FormatChoice::text) {
    source.format = SourceFormat::raw;
    return true;
  }
  if (content.kind == ContentKind::no_text && source.origin == Origin::folder) {
    return leave_out(LeftOut::no_text);
  }
  if (content.kind != ContentKind::text) {
    throw data_error("'{}' is {}, not text: {}", source.name, content.name,
                     remedy_for(content, source.name));
  }
  const bool automatic = choice == FormatChoice::automatic;
  source.format = automatic ? format_of(source, head, field) : SourceFormat::jsonl;
  return true;
}

}  // namespace

bool is_own_dataset(const std::filesystem::path& path) {
  try {
    const storage::H5Reader file{path};
    return file.has_attribute(kKind) && file.text_attribute(kKind) == kDatasetKind;
  } catch (const Error&) {
    return false;  // some other HDF5 file, or a damaged one
  }
}

void settle_formats(FoundSources& found, FormatChoice choice, const std::string& field) {
  std::vector<Source> kept;
  for (Source& source : found.sources) {
    if (settle(source, choice, field, found.left_out)) kept.push_back(std::move(source));
  }
  found.sources = std::move(kept);
}

}  // namespace ballast::data

#include "cli/ini.hpp"

#include <cctype>
#include <fmt/format.h>
#include <iomanip>
#include <sstream>

#include "base/error.hpp"
#include "base/text.hpp"

namespace ballast::cli {

namespace {

constexpr std::string_view kBlank = " \t\r\v\f";
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

/// No key is longer, with its section, and a value holds at most a path or a list of words.
constexpr std::size_t kLongestName = 256;
constexpr std::size_t kLongestLine = std::size_t{64} << 10;
constexpr std::size_t kMostKeys = 4096;

std::string trim(const std::string& text) {
  const auto first = text.find_first_not_of(kBlank);
  if (first == std::string::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

/// The text before a comment.
std::string without_comment(const std::string& text) {
  for (auto at = text.find('#'); at != std::string::npos; at = text.find('#', at + 1)) {
    if (at == 0 || kBlank.find(text[at - 1]) != std::string_view::npos) return text.substr(0, at);
  }
  return text;
}

/// Limits the memory that a file can take: even a short line is kept with its section and its place
/// in the file.
void require_within(std::size_t size, std::size_t most, std::string_view what,
                    const std::string& where) {
  if (size > most) throw usage_error("{}: {} is longer than {} bytes", where, what, most);
}

/// The value after an equals sign; throws when a quoted one does not end as it should.
std::string parse_value(const std::string& text, const std::string& where) {
  const std::string rest = trim(text);
  if (rest.empty() || rest.front() != '"') return trim(without_comment(text));
  std::istringstream stream{rest};
  std::string value;
  std::string behind;
  const bool closed = static_cast<bool>(stream >> std::quoted(value));
  std::getline(stream, behind);
  if (!closed || !trim(without_comment(behind)).empty()) {
    throw usage_error("{}: the quotes in '{}' do not match", where, excerpt(rest));
  }
  return value;
}

}  // namespace

std::vector<Assignment> parse_ini(const std::string& text, std::string_view file) {
  std::vector<Assignment> assignments;
  std::istringstream lines{text.starts_with(kByteOrderMark) ? text.substr(kByteOrderMark.size())
                                                            : text};
  std::string section;
  std::size_t number = 0;
  for (std::string raw; std::getline(lines, raw);) {
    const std::string where = fmt::format("{}:{}", file, ++number);
    require_within(raw.size(), kLongestLine, "the line", where);
    const std::string line = trim(raw);
    const std::string plain = trim(without_comment(line));
    if (plain.empty() || plain.front() == ';') continue;
    if (plain.front() == '[' && plain.back() == ']') {
      section = trim(plain.substr(1, plain.size() - 2));
      require_within(section.size(), kLongestName, "the section's name", where);
      continue;
    }
    const auto equals = plain.find('=');
    if (equals == std::string::npos || equals == 0) {
      throw usage_error("{}: '{}' is neither [section] nor key = value", where, excerpt(line));
    }
    const std::string key = trim(line.substr(0, equals));
    require_within(key.size(), kLongestName, "the key", where);
    if (assignments.size() == kMostKeys) {
      throw usage_error("{}: more than {} keys in one file", where, kMostKeys);
    }
    assignments.push_back({.name = section.empty() ? key : fmt::format("{}.{}", section, key),
                           .value = parse_value(line.substr(equals + 1), where),
                           .where = where});
  }
  return assignments;
}

std::string ini_value(const std::string& value) {
  const bool plain = trim(value) == value && value.find_first_of("\"#") == std::string::npos;
  if (plain) return value;
  std::ostringstream quoted;
  quoted << std::quoted(value);
  return quoted.str();
}

}  // namespace ballast::cli

#include "train/settings/resume.hpp"

#include "base/option_row.hpp"

namespace ballast::train {

std::optional<Resume> Resume::parse(const std::string& text) {
  if (text == "false") return never();
  if (text == "true") return newest();
  const auto path = option_row::parse_word(text);
  return path ? std::optional{from_path(*path)} : std::nullopt;
}

std::string Resume::name() const {
  switch (from_) {
    case From::nothing:
      return "false";
    case From::newest:
      return "true";
    case From::checkpoint:
      return path_.string();
  }
  return "?";
}

}  // namespace ballast::train

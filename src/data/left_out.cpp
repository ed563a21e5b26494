#include "data/left_out.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <string_view>

#include "base/text.hpp"

namespace ballast::data {

namespace {

std::string_view words(LeftOut why) {
  switch (why) {
    case LeftOut::hidden:
      return "hidden";
    case LeftOut::repeated:
      return "read already by another name";
    case LeftOut::broken_link:
      return "broken links";
    case LeftOut::special:
      return "pipes, sockets or devices";
    case LeftOut::own_dataset:
      return "datasets of this program";
    case LeftOut::no_text:
      return "pictures, sounds or programs";
  }
  return "";
}

}  // namespace

std::vector<std::string> LeftOutFiles::describe() const {
  std::vector<std::string> lines;
  for (const auto& [why, group] : groups_) {
    const std::string_view more = group.count > group.names.size() ? ", ..." : "";
    lines.push_back(fmt::format("{} ({}): {}{}", words(why), with_thousands(group.count),
                                fmt::join(group.names, ", "), more));
  }
  return lines;
}

}  // namespace ballast::data

#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace ballast::data {

/// Why an input is not read.
enum class LeftOut {
  hidden,       ///< its name begins with a dot
  repeated,     ///< read already, under another name or by a link
  broken_link,  ///< a link that leads nowhere, or in a circle
  special,      ///< in a folder: a pipe, a socket, a device
  own_dataset,  ///< made by this program, or about to be replaced
  no_text       ///< in a folder: a picture, a sound, a program
};

/// Inputs that were left out, by reason: how many, and the first of them.
class LeftOutFiles {
 public:
  static constexpr std::size_t kNames = 3;
  struct Group {
    std::uint64_t count = 0;
    std::vector<std::string> names = {};  ///< of the first kNames
  };

  void add(LeftOut why, std::string name) {
    Group& group = groups_[why];
    if (++group.count <= kNames) group.names.push_back(std::move(name));
  }
  [[nodiscard]] const std::map<LeftOut, Group>& groups() const { return groups_; }
  /// One text for each reason: "hidden (2): .git, .cache".
  [[nodiscard]] std::vector<std::string> describe() const;

 private:
  std::map<LeftOut, Group> groups_;
};

}  // namespace ballast::data

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ballast::formats {

/// What is wrong with the tensors of a file or folder, by kind.
class TensorDifferences {
 public:
  /// `authority`: what says which shape is right, "config.json".
  explicit TensorDifferences(std::string_view authority) : authority_{authority} {}

  void add_missing(const std::string& name) { missing_.push_back(name); }
  /// The file has it and the model does not.
  void add_surplus(const std::string& name) { surplus_.push_back(name); }
  /// Adds a tensor whose shape is not the model's.
  void compare(const std::string& name, std::span<const std::uint64_t> shape,
               std::span<const std::size_t> wanted);

  /// A line a kind, with the first few names and how many there are; empty if nothing was added.
  [[nodiscard]] std::string text() const;

 private:
  std::string_view authority_;
  std::vector<std::string> missing_, surplus_, shaped_;
};

}  // namespace ballast::formats

#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace ballast::train {

/// Turns the bytes of tokens into text for people: a character is emitted once it is whole, and
/// bytes that can never become one are shown as U+FFFD.
class TextStream {
 public:
  using Emit = std::function<void(std::string_view)>;
  explicit TextStream(const Emit& emit) : emit_{&emit} {}

  void add(std::string_view piece);
  /// No more bytes follow.
  void finish();

 private:
  const Emit* emit_;
  std::string pending_;
};

}  // namespace ballast::train

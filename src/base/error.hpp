#pragma once

#include <fmt/format.h>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace ballast {

/// The exit code of the process; scripts rely on these numbers.
enum class ExitCode : int {
  ok = 0,
  usage = 2,       ///< a command, option or configuration key is wrong
  data = 3,        ///< a dataset, checkpoint or other file is missing or bad
  unstable = 4,    ///< the instability guard stopped the run
  internal = 70,   ///< a defect of the program, or a failure of the machine
  run_again = 75,  ///< the state is saved; start the same command again
};

/// An error a person can act on: what is wrong, where, and what to do. Each
/// layer adds only what it knows, with `with_context`.
class Error : public std::runtime_error {
 public:
  Error(ExitCode code, const std::string& message) : std::runtime_error(message), code_{code} {}
  [[nodiscard]] ExitCode code() const noexcept { return code_; }

 private:
  ExitCode code_;
};

template <class... Args>
[[nodiscard]] Error usage_error(fmt::format_string<Args...> text, Args&&... args) {
  return Error{ExitCode::usage, fmt::format(text, std::forward<Args>(args)...)};
}

template <class... Args>
[[nodiscard]] Error data_error(fmt::format_string<Args...> text, Args&&... args) {
  return Error{ExitCode::data, fmt::format(text, std::forward<Args>(args)...)};
}

template <class... Args>
[[nodiscard]] Error internal_error(fmt::format_string<Args...> text, Args&&... args) {
  return Error{ExitCode::internal, fmt::format(text, std::forward<Args>(args)...)};
}

/// Runs `work`; an Error that leaves it is rethrown as "where: message".
template <class Work>
auto with_context(std::string_view where, Work&& work) {
  try {
    return std::forward<Work>(work)();
  } catch (const Error& error) {
    throw Error{error.code(), fmt::format("{}: {}", where, error.what())};
  }
}

}  // namespace ballast

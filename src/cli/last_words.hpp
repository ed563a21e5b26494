#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

#include "base/error.hpp"

namespace ballast::cli {

/// Guards an orderly end. A rank that leaves with an Error expects all others to do so too and
/// meets them when MPI is finalised; when they do not come within `grace`, this prints `message`
/// (if there is one) and ends the process with `code`, so that no Error of a single rank is lost
/// in a wait. Calls no MPI.
class LastWords {
 public:
  LastWords(std::string message, ExitCode code, std::chrono::milliseconds grace);
  ~LastWords();
  LastWords(const LastWords&) = delete;
  LastWords& operator=(const LastWords&) = delete;

 private:
  std::mutex mutex_;
  std::condition_variable finished_;
  bool is_finished_ = false;
  std::thread watch_;
};

}  // namespace ballast::cli

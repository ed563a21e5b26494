#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

#include "base/error.hpp"

namespace ballast::cli {

/// Guards the end of a process. A rank that ends with an Error expects all others to do so too, and
/// waits for them when MPI is finalized. If they do not arrive within `grace`, this prints
/// `message` (if there is one) and ends the process with `code`, so that the Error of a single rank
/// is not lost in a wait. Calls no MPI.
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

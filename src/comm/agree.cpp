#include "comm/agree.hpp"

#include <algorithm>
#include <exception>
#include <filesystem>
#include <string>
#include <vector>

namespace ballast::comm {

namespace {

/// What a rank tells the others: nothing when all went well, else the exit code in one byte and the
/// message.
std::string encode(const Error& error) {
  return std::string(1, static_cast<char>(error.code())) + error.what();
}

ExitCode code_of(const std::string& report) {
  return static_cast<ExitCode>(static_cast<unsigned char>(report.front()));
}

std::string outcome_of(std::string_view what, const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    return encode(error);
  } catch (const std::filesystem::filesystem_error& error) {
    return encode(data_error("{}: {}", what, error.what()));
  } catch (const std::exception& error) {
    return encode(internal_error("{}: {}", what, error.what()));
  } catch (...) {
    return encode(internal_error("{}: an exception of unknown type", what));
  }
  return {};
}

/// Every rank's outcome is known to all: what is thrown, if anything.
void settle(Communicator& world, std::string_view what, const std::string& outcome) {
  const auto reports = world.gather_texts(outcome, {"agreement", what});
  const auto failed = std::ranges::find_if(reports, [](const auto& r) { return !r.empty(); });
  if (failed == reports.end()) return;
  const std::string message = failed->substr(1);
  const bool unanimous =
      std::ranges::all_of(reports, [&](const auto& report) { return report == *failed; });
  if (unanimous) throw Error{code_of(*failed), message};
  const auto rank = static_cast<int>(failed - reports.begin());
  throw Error{code_of(*failed), fmt::format("[{}] {}", world.name(rank), message)};
}

}  // namespace

void agree(Communicator& world, std::string_view what, const std::function<void()>& work) {
  settle(world, what, outcome_of(what, work));
}

void agree_stepwise(Communicator& world, std::string_view what, std::size_t steps,
                    const std::function<void(std::size_t)>& work) {
  std::string outcome;
  bool has_failed = false;
  for (std::size_t step = 0; step < steps && !has_failed; ++step) {
    outcome = outcome_of(what, [&] { work(step); });
    has_failed = world.max(outcome.empty() ? 0 : 1, {"agreement", what}) != 0;
  }
  settle(world, what, outcome);
}

}  // namespace ballast::comm

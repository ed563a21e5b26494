#include "comm/agree.hpp"

#include <algorithm>
#include <exception>
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
  } catch (const std::exception& error) {
    return encode(internal_error("{}: {}", what, error.what()));
  } catch (...) {
    return encode(internal_error("{}: an exception of unknown type", what));
  }
  return {};
}

}  // namespace

void agree(Communicator& world, std::string_view what, const std::function<void()>& work) {
  const auto reports = world.gather_texts(outcome_of(what, work), {"agreement", what});
  const auto failed = std::ranges::find_if(reports, [](const auto& r) { return !r.empty(); });
  if (failed == reports.end()) return;
  const std::string message = failed->substr(1);
  const bool unanimous =
      std::ranges::all_of(reports, [&](const auto& report) { return report == *failed; });
  if (unanimous) throw Error{code_of(*failed), message};
  const auto rank = static_cast<int>(failed - reports.begin());
  throw Error{code_of(*failed), fmt::format("[{}] {}", world.name(rank), message)};
}

}  // namespace ballast::comm

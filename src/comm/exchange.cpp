#include "comm/exchange.hpp"

#include <algorithm>
#include <sched.h>

#include "base/checked_cast.hpp"
#include "base/clock.hpp"
#include "comm/mpi_check.hpp"
#include "comm/mpi_handle.hpp"

namespace ballast::comm {

namespace {

// A peer on its own core answers within some microseconds; after that the core is better lent to
// whoever needs it, since there may be more ranks than cores.
constexpr int kSpins = 50;

/// Calls act(piece) for pieces of at most `longest` bytes, at least once.
template <class Bytes, class Act>
void for_each_piece(Bytes bytes, std::size_t longest, Act&& act) {
  do {
    const auto piece = bytes.first(std::min(bytes.size(), longest));
    act(piece);
    bytes = bytes.subspan(piece.size());
  } while (!bytes.empty());
}

}  // namespace

Exchange::~Exchange() {
  if (!mpi_is_finalized()) abandon();
}

void Exchange::start(int tag, std::size_t longest_message) {
  tag_ = tag;
  longest_message_ = longest_message;
  remaining_ = 0;
  messages_.clear();
  requests_.clear();
}

MPI_Request& Exchange::add(Message message) {
  messages_.push_back(message);
  ++remaining_;
  return requests_.emplace_back(MPI_REQUEST_NULL);
}

void Exchange::send(std::span<const std::byte> bytes, int peer) {
  for_each_piece(bytes, longest_message_, [&](std::span<const std::byte> piece) {
    MPI_Request& request = add({peer, Direction::sent, piece.size()});
    mpi_check(MPI_Isend(piece.data(), checked_cast<int>(piece.size()), MPI_BYTE, peer, tag_,
                        handle_, &request),
              "MPI_Isend");
  });
}

void Exchange::receive(std::span<std::byte> bytes, int peer) {
  for_each_piece(bytes, longest_message_, [&](std::span<std::byte> piece) {
    MPI_Request& request = add({peer, Direction::received, piece.size()});
    mpi_check(MPI_Irecv(piece.data(), checked_cast<int>(piece.size()), MPI_BYTE, peer, tag_,
                        handle_, &request),
              "MPI_Irecv");
  });
}

std::optional<Exchange::Fault> Exchange::poll() {
  if (is_done()) return std::nullopt;
  moved_.resize(requests_.size());
  statuses_.resize(requests_.size());
  int count = 0;
  const int code = MPI_Testsome(checked_cast<int>(requests_.size()), requests_.data(), &count,
                                moved_.data(), statuses_.data());
  if (code != MPI_ERR_IN_STATUS) mpi_check(code, "MPI_Testsome");
  for (std::size_t i = 0; i < checked_cast<std::size_t>(count); ++i) {
    const auto& message = messages_[checked_cast<std::size_t>(moved_[i])];
    // The error field means something only when MPI_Testsome says so.
    const int result = code == MPI_SUCCESS ? MPI_SUCCESS : statuses_[i].MPI_ERROR;
    if (auto fault = check(message, statuses_[i], result)) return fault;
  }
  remaining_ -= checked_cast<std::size_t>(count);
  return std::nullopt;
}

std::optional<Exchange::Fault> Exchange::wait(double timeout_s) {
  Patience since_progress;
  int idle_rounds = 0;
  while (!is_done()) {
    const std::size_t before = remaining_;
    if (auto fault = poll()) return fault;
    if (remaining_ < before) {
      since_progress.restart();
      idle_rounds = 0;
    } else if (++idle_rounds > kSpins) {
      if (since_progress.look() > timeout_s) return Fault{};
      sched_yield();
    }
  }
  return std::nullopt;
}

std::optional<Exchange::Fault> Exchange::check(const Message& message, const MPI_Status& status,
                                               int code) const {
  if (code != MPI_SUCCESS) {
    int error_class = MPI_SUCCESS;
    mpi_check(MPI_Error_class(code, &error_class), "MPI_Error_class");
    const bool truncated = error_class == MPI_ERR_TRUNCATE;
    return Fault{.kind = truncated ? Fault::Kind::too_long : Fault::Kind::failed,
                 .peer = message.peer,
                 .expected = message.bytes,
                 .code = code};
  }
  if (message.direction == Direction::sent) return std::nullopt;
  int bytes = 0;
  mpi_check(MPI_Get_count(&status, MPI_BYTE, &bytes), "MPI_Get_count");
  if (checked_cast<std::size_t>(bytes) == message.bytes) return std::nullopt;
  return Fault{.kind = Fault::Kind::too_short,
               .peer = message.peer,
               .expected = message.bytes,
               .received = checked_cast<std::size_t>(bytes)};
}

Exchange::Missing Exchange::missing() const {
  Missing missing;
  for (std::size_t i = 0; i < requests_.size(); ++i) {
    if (requests_[i] == MPI_REQUEST_NULL) continue;
    const bool sent = messages_[i].direction == Direction::sent;
    (sent ? missing.unwilling : missing.silent).push_back(messages_[i].peer);
  }
  for (auto* peers : {&missing.silent, &missing.unwilling}) {
    std::ranges::sort(*peers);
    peers->erase(std::unique(peers->begin(), peers->end()), peers->end());
  }
  return missing;
}

void Exchange::abandon() noexcept {
  // Codes are not checked: this runs on the way out of a failure, which is what will be reported.
  for (std::size_t i = 0; i < requests_.size(); ++i) {
    if (requests_[i] == MPI_REQUEST_NULL) continue;
    if (messages_[i].direction == Direction::received) MPI_Cancel(&requests_[i]);
    MPI_Request_free(&requests_[i]);
  }
  remaining_ = 0;
  messages_.clear();
  requests_.clear();
}

}  // namespace ballast::comm

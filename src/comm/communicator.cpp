#include "comm/communicator.hpp"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <utility>

#include "base/checked_cast.hpp"
#include "base/clock.hpp"
#include "base/process.hpp"
#include "comm/exchange.hpp"
#include "comm/hang_report.hpp"
#include "comm/mpi_check.hpp"
#include "comm/tag.hpp"

namespace ballast::comm {

namespace {

std::size_t index(int rank) { return checked_cast<std::size_t>(rank); }

/// Copies a rank's own part, unless it lies in its place already.
void copy_own(std::span<const std::byte> from, std::byte* to) {
  if (!from.empty() && from.data() != to) std::memmove(to, from.data(), from.size());
}

/// One slice a rank, each inside its buffer: what a wrong size would otherwise overwrite is a
/// neighbor's data.
void check_slices(std::size_t ranks, std::span<const std::size_t> counts,
                  std::span<const std::size_t> offsets, std::size_t room, Place place) {
  if (counts.size() != ranks || offsets.size() != ranks) {
    throw internal_error("{}: {} counts and {} offsets for {} ranks", describe(place),
                         counts.size(), offsets.size(), ranks);
  }
  for (std::size_t rank = 0; rank < ranks; ++rank) {
    if (counts[rank] > room || offsets[rank] > room - counts[rank]) {
      throw internal_error("{}: slice {} of {} bytes at {} does not fit a buffer of {} bytes",
                           describe(place), rank, counts[rank], offsets[rank], room);
    }
  }
}

Error does_not_fit(Place place) {
  return internal_error("{}: the sum does not fit 64 bits", describe(place));
}

/// Words a rank from which a sum is worth three exchanges instead of one.
constexpr std::size_t kLongSum = 256;

int job_tag_limit() {
  void* limit = nullptr;
  int found = 0;
  mpi_check(MPI_Comm_get_attr(MPI_COMM_WORLD, MPI_TAG_UB, &limit, &found), "MPI_Comm_get_attr");
  return found != 0 ? *static_cast<int*>(limit) : kLowestTagLimit;
}

/// The rank in MPI_COMM_WORLD of each rank of `handle`.
std::vector<int> ranks_in_job(MPI_Comm handle, int size) {
  std::vector<int> here(index(size));
  std::vector<int> in_job(index(size));
  std::iota(here.begin(), here.end(), 0);
  MPI_Group group = MPI_GROUP_NULL;
  MPI_Group job = MPI_GROUP_NULL;
  mpi_check(MPI_Comm_group(handle, &group), "MPI_Comm_group");
  mpi_check(MPI_Comm_group(MPI_COMM_WORLD, &job), "MPI_Comm_group");
  mpi_check(MPI_Group_translate_ranks(group, size, here.data(), job, in_job.data()),
            "MPI_Group_translate_ranks");
  mpi_check(MPI_Group_free(&group), "MPI_Group_free");
  mpi_check(MPI_Group_free(&job), "MPI_Group_free");
  return in_job;
}

}  // namespace

Communicator::Communicator(MPI_Comm handle, WithoutNames)
    : handle_{handle},
      exchange_{std::make_unique<Exchange>(handle)},
      longest_message_{Exchange::kLongestMessage},
      tag_limit_{job_tag_limit()} {
  mpi_check(MPI_Comm_rank(handle, &rank_), "MPI_Comm_rank");
  mpi_check(MPI_Comm_size(handle, &size_), "MPI_Comm_size");
  mpi_check(MPI_Comm_size(MPI_COMM_WORLD, &roster_.job_size), "MPI_Comm_size");
  roster_.job_ranks = ranks_in_job(handle, size_);
}

Communicator::Communicator(MPI_Comm handle) : Communicator{handle, WithoutNames{}} {
  roster_.hosts.resize(index(size_), "host not known yet");
  roster_.hosts[index(rank_)] = host_name();
  roster_.hosts = gather_texts(roster_.host(rank_), {"gather of host names"});
}

Communicator::~Communicator() = default;
Communicator::Communicator(Communicator&&) noexcept = default;
Communicator& Communicator::operator=(Communicator&&) noexcept = default;

void Communicator::set_longest_message(std::size_t bytes) {
  if (bytes == 0 || bytes > Exchange::kLongestMessage) {
    throw internal_error("messages of {} bytes: from 1 to {} are possible", bytes,
                         Exchange::kLongestMessage);
  }
  longest_message_ = bytes;
}

void Communicator::make_progress() const {
  int ignored = 0;
  mpi_check(MPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, handle_.get(), &ignored, MPI_STATUS_IGNORE),
            "MPI_Iprobe");
}

void Communicator::begin(Exchange& exchange, Place place) {
  exchange.start(tag_for(sequence_++, place, step_, tag_limit_), longest_message_);
}

void Communicator::complete(Exchange& exchange, Place place) const {
  const auto fault = exchange.wait(timeout_s_);
  if (!fault) return;
  if (fault->kind == Exchange::Fault::Kind::stuck) {
    end_stuck(reporter(), place, exchange.missing(), timeout_s_);
  }
  throw bad_message(reporter(), place, *fault);
}

/// One collective: post(exchange) posts its messages, which then run to their end.
template <class Post>
void Communicator::run(Place place, Post&& post) {
  try {
    begin(*exchange_, place);
    post(*exchange_);
    complete(*exchange_, place);
  } catch (...) {
    exchange_->abandon();
    throw;
  }
}

template <class Post>
void Communicator::run_timed(Place place, Post&& post) {
  Stopwatch watch;
  barrier(place);
  timings_.skew_s += watch.elapsed_s();
  watch.restart();
  run(place, std::forward<Post>(post));
  timings_.work_s += watch.elapsed_s();
}

// Messages go directly from each rank to each other, the nearest higher rank first, so that they
// do not all fall on one rank at once, and so that whoever is missing is known to all by name.

void Communicator::barrier(Place place) {
  run(place, [&](Exchange& exchange) {
    for (int i = 1; i < size_; ++i) exchange.receive({}, (rank_ + size_ - i) % size_);
    for (int i = 1; i < size_; ++i) exchange.send({}, (rank_ + i) % size_);
  });
}

void Communicator::broadcast(std::span<std::byte> bytes, int root, Place place) {
  run(place, [&](Exchange& exchange) {
    if (rank_ != root) return exchange.receive(bytes, root);
    for (int i = 1; i < size_; ++i) exchange.send(bytes, (rank_ + i) % size_);
  });
}

void Communicator::all_gather(std::span<const std::byte> own, std::span<std::byte> receive,
                              std::span<const std::size_t> counts,
                              std::span<const std::size_t> offsets, Place place) {
  check_slices(index(size_), counts, offsets, receive.size(), place);
  if (own.size() != counts[index(rank_)]) {
    throw internal_error("{}: {} bytes given where {} belong", describe(place), own.size(),
                         counts[index(rank_)]);
  }
  copy_own(own, receive.data() + offsets[index(rank_)]);
  run_timed(place, [&](Exchange& exchange) {
    for (int i = 1; i < size_; ++i) {
      const int peer = (rank_ + size_ - i) % size_;
      const std::size_t count = counts[index(peer)];
      if (count > 0) exchange.receive(receive.subspan(offsets[index(peer)], count), peer);
    }
    for (int i = 1; i < size_ && !own.empty(); ++i) exchange.send(own, (rank_ + i) % size_);
  });
}

void Communicator::all_to_all(std::span<const std::byte> send, Slices send_slices,
                              std::span<std::byte> receive, Slices receive_slices, Place place) {
  check_slices(index(size_), send_slices.counts, send_slices.offsets, send.size(), place);
  check_slices(index(size_), receive_slices.counts, receive_slices.offsets, receive.size(), place);
  const auto outgoing = [&](int peer) {
    return send.subspan(send_slices.offsets[index(peer)], send_slices.counts[index(peer)]);
  };
  const auto incoming = [&](int peer) {
    return receive.subspan(receive_slices.offsets[index(peer)], receive_slices.counts[index(peer)]);
  };
  if (outgoing(rank_).size() != incoming(rank_).size()) {
    throw internal_error("{}: {} bytes from a rank to itself, but room for {}", describe(place),
                         outgoing(rank_).size(), incoming(rank_).size());
  }
  copy_own(outgoing(rank_), incoming(rank_).data());
  run_timed(place, [&](Exchange& exchange) {
    for (int i = 1; i < size_; ++i) {
      const int peer = (rank_ + size_ - i) % size_;
      if (!incoming(peer).empty()) exchange.receive(incoming(peer), peer);
    }
    for (int i = 1; i < size_; ++i) {
      const int peer = (rank_ + i) % size_;
      if (!outgoing(peer).empty()) exchange.send(outgoing(peer), peer);
    }
  });
}

/// Every rank's `own`, of one length everywhere, into words_, rank after rank.
void Communicator::gather_words(std::span<const std::int64_t> own, Place place) {
  words_.resize(own.size() * index(size_));
  const auto part = [&](int rank) {
    return std::span{words_}.subspan(own.size() * index(rank), own.size());
  };
  std::ranges::copy(own, part(rank_).begin());
  run(place, [&](Exchange& exchange) {
    for (int i = 1; i < size_; ++i) {
      const int peer = (rank_ + size_ - i) % size_;
      exchange.receive(std::as_writable_bytes(part(peer)), peer);
    }
    for (int i = 1; i < size_; ++i) exchange.send(std::as_bytes(own), (rank_ + i) % size_);
  });
}

void Communicator::sum(std::span<std::int64_t> values, Place place) {
  if (size_ > 1 && values.size() >= kLongSum * index(size_)) return sum_by_parts(values, place);
  gather_words(values, place);
  if (!add_up(values)) throw does_not_fit(place);
}

/// The sums over all ranks of what lies in words_, values.size() words of each. Returns whether all
/// fit 64 bits.
bool Communicator::add_up(std::span<std::int64_t> values) const {
  std::ranges::fill(values, 0);
  bool fits = true;
  for (std::size_t i = 0; i < words_.size(); ++i) {
    std::int64_t& total = values[i % values.size()];
    fits &= !__builtin_add_overflow(total, words_[i], &total);
  }
  return fits;
}

/// Every rank adds up one part of a long vector, so that each word travels twice, however many
/// ranks there are.
void Communicator::sum_by_parts(std::span<std::int64_t> values, Place place) {
  constexpr std::size_t kWord = sizeof(std::int64_t);
  std::vector<std::size_t> counts(index(size_));
  std::vector<std::size_t> offsets(index(size_));
  for (std::size_t r = 0; r < counts.size(); ++r) {
    offsets[r] = r * values.size() / counts.size() * kWord;
    counts[r] = (r + 1) * values.size() / counts.size() * kWord - offsets[r];
  }
  const std::size_t own_bytes = counts[index(rank_)];
  const std::vector<std::size_t> own_counts(counts.size(), own_bytes);
  std::vector<std::size_t> own_offsets(counts.size());
  for (std::size_t r = 0; r < counts.size(); ++r) own_offsets[r] = r * own_bytes;
  words_.resize(own_bytes / kWord * counts.size());
  all_to_all(std::as_bytes(values), {counts, offsets}, std::as_writable_bytes(std::span{words_}),
             {own_counts, own_offsets}, place);
  const auto own = values.subspan(offsets[index(rank_)] / kWord, own_bytes / kWord);
  const bool fits = add_up(own);
  if (max(fits ? 0 : 1, place) != 0) throw does_not_fit(place);
  all_gather(std::as_bytes(own), std::as_writable_bytes(values), counts, offsets, place);
}

std::int64_t Communicator::sum(std::int64_t value, Place place) {
  sum(std::span{&value, 1}, place);
  return value;
}

void Communicator::max(std::span<std::int64_t> values, Place place) {
  gather_words(values, place);
  for (std::size_t i = 0; i < words_.size(); ++i) {
    std::int64_t& largest = values[i % values.size()];
    largest = std::max(largest, words_[i]);
  }
}

std::int64_t Communicator::max(std::int64_t value, Place place) {
  max(std::span{&value, 1}, place);
  return value;
}

std::span<std::int64_t> Communicator::room_for(std::size_t count) {
  if (room_.size() < count) room_.resize(count);
  return std::span{room_}.first(count);
}

std::vector<std::string> Communicator::gather_texts(const std::string& own, Place place) {
  const auto own_length = checked_cast<std::int64_t>(own.size());
  gather_words(std::span{&own_length, 1}, place);
  std::vector<std::size_t> counts;
  for (const std::int64_t length : words_) counts.push_back(checked_cast<std::size_t>(length));
  std::vector<std::size_t> offsets(counts.size());
  std::exclusive_scan(counts.begin(), counts.end(), offsets.begin(), std::size_t{0});
  std::string all(offsets.back() + counts.back(), '\0');
  all_gather(std::as_bytes(std::span{own}), std::as_writable_bytes(std::span{all}), counts, offsets,
             place);
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    texts.push_back(all.substr(offsets[i], counts[i]));
  }
  return texts;
}

std::string Communicator::broadcast_text(const std::string& text, int root, Place place) {
  std::uint64_t length = text.size();
  broadcast(std::as_writable_bytes(std::span{&length, 1}), root, place);
  std::string copy = text;
  copy.resize(length);
  broadcast(std::as_writable_bytes(std::span{copy}), root, place);
  return copy;
}

// MPI splits inside one call that would wait without a word: whoever does not come is found before.

Communicator Communicator::split(int color) {
  if (color < 0) throw internal_error("split by color {}: colors count from 0", color);
  barrier({"split"});
  MPI_Comm part = MPI_COMM_NULL;
  mpi_check(MPI_Comm_split(handle_.get(), color, rank_, &part), "MPI_Comm_split");
  return inherit(part);
}

Communicator Communicator::split_by_node() {
  barrier({"split by node"});
  MPI_Comm part = MPI_COMM_NULL;
  mpi_check(MPI_Comm_split_type(handle_.get(), MPI_COMM_TYPE_SHARED, rank_, MPI_INFO_NULL, &part),
            "MPI_Comm_split_type");
  return inherit(part);
}

Communicator Communicator::ordered_by_host() {
  const int first_of_host = split_by_node().roster_.job_ranks.front();
  const auto found = std::ranges::find(roster_.job_ranks, first_of_host);
  const auto key = checked_cast<int>(found - roster_.job_ranks.begin());
  barrier({"order of hosts"});
  MPI_Comm ordered = MPI_COMM_NULL;
  mpi_check(MPI_Comm_split(handle_.get(), 0, key, &ordered), "MPI_Comm_split");
  return inherit(ordered);
}

Communicator Communicator::inherit(MPI_Comm handle) const {
  Communicator part{handle, WithoutNames{}};
  part.roster_.hosts = roster_.hosts_of(part.roster_.job_ranks);
  part.set_longest_message(longest_message_);
  part.set_timeout_s(timeout_s_);
  part.set_step(step_);
  part.set_last_words(last_words_);
  return part;
}

}  // namespace ballast::comm

#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mpi.h>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "comm/hang_report.hpp"
#include "comm/mpi_handle.hpp"
#include "comm/place.hpp"
#include "comm/roster.hpp"

namespace ballast::comm {

class Exchange;  // the messages of one collective under way
class Transfer;  // messages under way beside other work

/// The time spent in bulk collectives (all_gather, all_to_all, and transfers through memory that
/// ranks share).
struct Timings {
  double work_s = 0.0;  ///< moving bytes
  double skew_s = 0.0;  ///< waiting for ranks that arrive later
};

/// A group of ranks that exchange messages: the one owner of an MPI communicator. Move-only.
///
/// Every collective consists of point-to-point messages that are polled, never of a call that could
/// block for ever. If a peer does not answer within the timeout, the waiting rank prints its own
/// rank, host, step, the subject, the collective and the missing peers, and ends the process with
/// exit code 70. Only integers are summed: a floating-point sum depends on its order, which is for
/// the caller to choose.
class Communicator {
 public:
  /// Takes over `handle` and frees it at the end. Collective over its ranks, which must all be of
  /// the job's MPI_COMM_WORLD.
  explicit Communicator(MPI_Comm handle);
  ~Communicator();
  Communicator(Communicator&&) noexcept;
  Communicator& operator=(Communicator&&) noexcept;
  Communicator(const Communicator&) = delete;
  Communicator& operator=(const Communicator&) = delete;

  [[nodiscard]] int rank() const { return rank_; }
  [[nodiscard]] int size() const { return size_; }
  [[nodiscard]] bool is_root() const { return rank_ == 0; }
  /// Host name of a rank of this communicator.
  [[nodiscard]] const std::string& host(int rank) const { return roster_.host(rank); }
  /// "rank 3/8 node04": this rank, counted over the whole job, also in a communicator of a part.
  [[nodiscard]] std::string name() const { return name(rank_); }
  [[nodiscard]] std::string name(int rank) const { return roster_.name(rank); }
  /// The same inside a sentence: "rank 3/8 (node04)".
  [[nodiscard]] std::string label(int rank) const { return roster_.label(rank); }

  /// How long a collective waits after the last message moved, before it names the missing ranks
  /// and ends the process.
  void set_timeout_s(double seconds) { timeout_s_ = seconds; }
  [[nodiscard]] double timeout_s() const { return timeout_s_; }
  /// A file that gets the message of a collective that hangs, besides standard error, so that the
  /// reason for a job's end can be read next to its results. None by default.
  void set_last_words(std::filesystem::path file) { last_words_ = std::move(file); }
  [[nodiscard]] const std::filesystem::path& last_words() const { return last_words_; }
  /// This rank, as it names itself in the report of a collective that hangs or goes wrong.
  [[nodiscard]] Reporter reporter() const { return {roster_, rank_, step_, last_words_}; }
  /// Longer transfers are cut into messages of `bytes`, at most (and by default) 1 GiB.
  void set_longest_message(std::size_t bytes);
  /// The training step that later collectives belong to; the same on every rank, like a Place.
  void set_step(std::uint64_t step) { step_ = step; }
  [[nodiscard]] std::uint64_t step() const { return step_; }

  /// The time of bulk collectives since the last call.
  [[nodiscard]] Timings take_timings() { return std::exchange(timings_, {}); }
  /// Adds time spent outside of messages: reading other ranks' memory, waiting for their posts.
  void add_work_s(double seconds) { timings_.work_s += seconds; }
  void add_skew_s(double seconds) { timings_.skew_s += seconds; }

  /// Lets MPI move messages under way; for ranks that wait for something else.
  void make_progress() const;

  void barrier(Place place);

  /// Sends the bytes of `root` to all ranks.
  void broadcast(std::span<std::byte> bytes, int root, Place place);

  /// `own` of rank r lands at receive[offsets[r]], counts[r] bytes; own.size() == counts[rank()].
  /// `own` may lie inside `receive` at its own place.
  void all_gather(std::span<const std::byte> own, std::span<std::byte> receive,
                  std::span<const std::size_t> counts, std::span<const std::size_t> offsets,
                  Place place);

  /// send[send_offsets[r]], send_counts[r] bytes, goes to rank r; what rank r sends here lands at
  /// receive[receive_offsets[r]]. Zero counts move nothing; both sides agree on the counts.
  struct Slices {
    std::span<const std::size_t> counts;
    std::span<const std::size_t> offsets;
  };
  void all_to_all(std::span<const std::byte> send, Slices send_slices, std::span<std::byte> receive,
                  Slices receive_slices, Place place);

  /// Element-wise sum over ranks, in place, the same on every rank.
  void sum(std::span<std::int64_t> values, Place place);
  [[nodiscard]] std::int64_t sum(std::int64_t value, Place place);
  /// Element-wise maximum over ranks, in place, the same on every rank.
  void max(std::span<std::int64_t> values, Place place);
  [[nodiscard]] std::int64_t max(std::int64_t value, Place place);

  /// Room in which `count` integers are put together for a sum, kept from call to call so that
  /// nothing is allocated; until the next call.
  [[nodiscard]] std::span<std::int64_t> room_for(std::size_t count);

  /// A text of any length from every rank, in rank order, on every rank.
  [[nodiscard]] std::vector<std::string> gather_texts(const std::string& own, Place place);
  /// The root's text on every rank.
  [[nodiscard]] std::string broadcast_text(const std::string& text, int root, Place place);

  /// Ranks with the same color form a communicator, ordered by rank. Collective.
  /// It inherits the timeout, the longest message, the step and the file for last words.
  [[nodiscard]] Communicator split(int color);
  /// The ranks that share memory with this one. Collective.
  [[nodiscard]] Communicator split_by_node();
  /// The same ranks, those of a host side by side: hosts in the order of their first ranks here.
  /// However a launcher deals the ranks, neighbors then share what they can. Collective.
  [[nodiscard]] Communicator ordered_by_host();

 private:
  friend class Transfer;
  struct WithoutNames {};
  /// The same, but the hosts' names are still to come.
  Communicator(MPI_Comm handle, WithoutNames);
  /// Begins the next collective: every rank takes the same tag for its messages.
  void begin(Exchange& exchange, Place place);
  /// Waits for its messages. If ranks are missing, names them and ends the process.
  void complete(Exchange& exchange, Place place) const;
  template <class Post>
  void run(Place place, Post&& post);
  /// The same for bulk data: first everyone arrives, then bytes move, and both are timed.
  template <class Post>
  void run_timed(Place place, Post&& post);
  void gather_words(std::span<const std::int64_t> own, Place place);
  void sum_by_parts(std::span<std::int64_t> values, Place place);
  [[nodiscard]] bool add_up(std::span<std::int64_t> values) const;
  [[nodiscard]] Communicator inherit(MPI_Comm handle) const;

  MpiHandle handle_;
  std::unique_ptr<Exchange> exchange_;
  std::size_t longest_message_;
  int rank_ = 0;
  int size_ = 1;
  int tag_limit_ = 0;
  std::uint64_t step_ = 0;
  std::uint64_t sequence_ = 0;
  double timeout_s_ = 300.0;
  std::filesystem::path last_words_;
  Timings timings_;
  Roster roster_;
  std::vector<std::int64_t> words_;  ///< what gather_words brought, rank after rank
  std::vector<std::int64_t> room_;   ///< of room_for
};

}  // namespace ballast::comm

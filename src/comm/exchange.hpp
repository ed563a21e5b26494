#pragma once

#include <cstddef>
#include <mpi.h>
#include <optional>
#include <span>
#include <vector>

namespace ballast::comm {

/// Point-to-point messages that are posted together and polled until all have moved: the engine of
/// every collective. Several exchanges may be under way on one MPI communicator; their tags keep
/// them apart. Each is used for one collective after the other, and its tables keep their memory,
/// so that a training step allocates nothing here.
class Exchange {
 public:
  /// Messages are byte counts in an int; longer transfers are cut into pieces of this size.
  static constexpr std::size_t kLongestMessage = std::size_t{1} << 30;

  /// `handle` is borrowed, and returns its errors.
  explicit Exchange(MPI_Comm handle) : handle_{handle} {}
  /// Gives up on what is still under way.
  ~Exchange();
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  /// Messages posted from here on carry `tag`; transfers beyond `longest_message` bytes are cut.
  void start(int tag, std::size_t longest_message);
  /// The buffers must outlive `wait` or `abandon`. An empty span is a message too.
  void send(std::span<const std::byte> bytes, int peer);
  void receive(std::span<std::byte> bytes, int peer);

  /// Why an exchange did not end well.
  struct Fault {
    enum class Kind { stuck, too_long, too_short, failed };
    Kind kind = Kind::stuck;
    int peer = -1;             ///< of the message at fault; -1 when stuck
    std::size_t expected = 0;  ///< bytes
    std::size_t received = 0;  ///< bytes, when too short
    int code = MPI_SUCCESS;    ///< the error of MPI, when failed
  };
  /// Lets messages move, once.
  [[nodiscard]] std::optional<Fault> poll();
  /// Has every message moved?
  [[nodiscard]] bool is_done() const { return remaining_ == 0; }
  /// Polls until every message has moved, or none has for `timeout_s`.
  [[nodiscard]] std::optional<Fault> wait(double timeout_s);

  /// The peers whose messages are still under way, ascending, after `wait` found itself stuck.
  struct Missing {
    std::vector<int> silent;     ///< nothing came from them
    std::vector<int> unwilling;  ///< they do not take what is sent
  };
  [[nodiscard]] Missing missing() const;

  /// Gives up on whatever is still under way, so that its buffers may go.
  void abandon() noexcept;

 private:
  enum class Direction { sent, received };
  struct Message {
    int peer;
    Direction direction;
    std::size_t bytes;
  };

  MPI_Request& add(Message message);
  [[nodiscard]] std::optional<Fault> check(const Message& message, const MPI_Status& status,
                                           int code) const;

  MPI_Comm handle_;
  std::size_t longest_message_ = kLongestMessage;
  int tag_ = 0;
  std::size_t remaining_ = 0;  ///< messages under way
  std::vector<Message> messages_;
  std::vector<MPI_Request> requests_;  ///< beside messages_; null once moved
  std::vector<int> moved_;
  std::vector<MPI_Status> statuses_;
};

}  // namespace ballast::comm

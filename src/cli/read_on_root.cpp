#include "cli/read_on_root.hpp"

#include "storage/files.hpp"

namespace ballast::cli {

namespace {

/// The most bytes of a configuration, a calibration or a gemm table, which every rank gets.
constexpr std::uint64_t kLargest = std::uint64_t{1} << 20;

}  // namespace

std::string read_on_root(comm::Communicator& world, const std::filesystem::path& path) {
  std::string reply;
  if (world.is_root()) {
    try {
      reply = "+" + storage::read_text(path, kLargest);
    } catch (const Error& error) {
      reply = std::string{"-"} + error.what();
    }
  }
  reply = world.broadcast_text(reply, 0, {"broadcast", "file of rank 0"});
  if (reply.front() == '-') throw usage_error("{}", reply.substr(1));
  return reply.substr(1);
}

}  // namespace ballast::cli

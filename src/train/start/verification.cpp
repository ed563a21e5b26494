#include <algorithm>
#include <cerrno>
#include <cstring>
#include <functional>
#include <sys/stat.h>

#include "base/checked_cast.hpp"
#include "base/clock.hpp"
#include "base/text.hpp"
#include "comm/agree.hpp"
#include "data/content_pass.hpp"
#include "train/start/training_data.hpp"

namespace ballast::train {

namespace {

/// Pieces of 1 MiB that a rank reads between two collectives. So a slow disk is not taken for a
/// hang, and all ranks stop when one of them finds damage.
constexpr std::size_t kRound = 64;

/// The position of this rank among those of its host that opened the same file.
struct Reader {
  std::size_t index = 0;
  std::size_t ranks = 1;
};

/// Identifies a file among those of one host, whatever its name.
std::string file_identity(const std::filesystem::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) {
    throw data_error("cannot look at '{}': {}", path.string(), std::strerror(errno));
  }
  return fmt::format("{}:{}", status.st_dev, status.st_ino);
}

Reader find_reader(comm::Communicator& world, const fsdp::Topology& topology,
                   const std::filesystem::path& path) {
  const auto own_file =
      comm::agree_on<std::string>(world, "data.verify", [&] { return file_identity(path); });
  const auto files = world.gather_texts(own_file, {"data.verify"});
  const auto own = checked_cast<std::size_t>(world.rank());
  Reader reader{.index = 0, .ranks = 0};
  for (std::size_t rank = 0; rank < files.size(); ++rank) {
    if (topology.host_of[rank] != topology.host_of[own] || files[rank] != own_file) continue;
    if (rank < own) ++reader.index;
    ++reader.ranks;
  }
  return reader;
}

/// Deals `pieces` to the ranks that read the same file, in rounds, neighbors to the same rank.
/// Collective; the number of pieces may differ from file to file.
void deal(comm::Communicator& world, Reader reader, std::size_t pieces,
          const std::function<void(std::size_t piece)>& work) {
  const std::size_t share =
      std::clamp<std::size_t>((pieces + reader.ranks - 1) / reader.ranks, 1, kRound);
  const std::size_t in_round = share * reader.ranks;
  const auto rounds = checked_cast<std::size_t>(
      world.max(checked_cast<std::int64_t>((pieces + in_round - 1) / in_round), {"data.verify"}));
  comm::agree_stepwise(world, "data.verify", rounds, [&](std::size_t round) {
    const std::size_t first = std::min(round * in_round + reader.index * share, pieces);
    const std::size_t end = std::min(first + share, pieces);
    for (std::size_t piece = first; piece < end; ++piece) work(piece);
  });
}

}  // namespace

std::string verify_training_data(comm::Communicator& world, const fsdp::Topology& topology,
                                 const data::Dataset& dataset, Verify verify) {
  const auto own_bytes = comm::agree_on<std::uint64_t>(
      world, "data.verify", [&] { return std::filesystem::file_size(dataset.path()); });
  const auto bytes = checked_cast<std::uint64_t>(
      world.max(checked_cast<std::int64_t>(own_bytes), {"data.verify"}));
  const bool is_small = bytes <= kWholeByDefault;
  if (verify == Verify::header || (verify == Verify::automatic && !is_small)) {
    return fmt::format("data verified: the header of {}; each block before its first use",
                       human_bytes(bytes));
  }

  const Stopwatch watch;
  const Reader reader = find_reader(world, topology, dataset.path());
  const bool has_blocks = dataset.info().format_version != data::kUnhashedVersion;
  deal(world, reader, dataset.blocks(), [&](std::size_t block) { dataset.verify_block(block); });
  dataset.trust_blocks();
  data::ContentPass content{dataset};
  const bool reads_values = has_blocks && verify == Verify::full;
  deal(world, reader, reads_values ? content.pieces() : 0,
       [&](std::size_t piece) { content.check(piece); });
  // Format 1 has a single hash over all elements in sequence, so one rank of each host computes it.
  const bool is_reader = !has_blocks && reader.index == 0;
  deal(world, {}, is_reader ? content.pieces() : 0, [&](std::size_t) { content.take_next(); });
  comm::agree(world, "data.verify", [&] {
    if (is_reader) content.require_same_content();
  });
  return fmt::format("data verified: all of {} in {:.2f} s, by {} rank(s) on rank 0's host{}",
                     human_bytes(bytes), watch.elapsed_s(), has_blocks ? reader.ranks : 1,
                     has_blocks ? "" : "; format 1: prepare it anew to share the work");
}

}  // namespace ballast::train

#include "cli/text_sources.hpp"

#include "base/error.hpp"
#include "cli/resolved_config.hpp"
#include "storage/files.hpp"
#include "train/start/saved_model.hpp"

namespace ballast::cli {

namespace {

/// Of a configuration, a calibration or a table of products, which every rank gets.
constexpr std::uint64_t kLargest = std::uint64_t{1} << 20;

std::string read_file(const std::filesystem::path& path) {
  return storage::read_text(path, kLargest);
}

std::string read_model(const std::filesystem::path& path) {
  return model_to_ini(train::saved_model_config(path));
}

std::string on_root(comm::Communicator& world, const TextSources::Read& read,
                    const std::filesystem::path& path) {
  std::string reply;
  if (world.is_root()) {
    try {
      reply = "+" + read(path);
    } catch (const Error& error) {
      reply = std::string{"-"} + error.what();
    }
  }
  reply = world.broadcast_text(reply, 0, {"broadcast", "file of rank 0"});
  if (reply.front() == '-') throw usage_error("{}", reply.substr(1));
  return reply.substr(1);
}

}  // namespace

TextSources own_texts() { return {read_file, read_model}; }

TextSources texts_of_root(comm::Communicator& world) {
  return {[&world](const auto& path) { return on_root(world, read_file, path); },
          [&world](const auto& path) { return on_root(world, read_model, path); }};
}

}  // namespace ballast::cli

#include "train/start/agreement.hpp"

#include <span>
#include <string>

#include "base/hash.hpp"
#include "comm/same.hpp"

namespace ballast::train {

void require_same_dataset(comm::Communicator& world, const data::Dataset& dataset) {
  const data::DatasetInfo& info = dataset.info();
  const std::string where = "'" + dataset.path().string() + "'";
  const comm::Facts facts{
      {"dataset, content hash", info.content_hash, where},
      {"dataset, tokenizer", info.tokenizer_hash, where},
      {"dataset, vocabulary", std::to_string(info.vocabulary), where},
      {"dataset, training tokens", std::to_string(info.train_tokens), where},
      {"dataset, validation tokens", std::to_string(info.validation_tokens), where},
      {"dataset, loss weights", dataset.has_weights() ? "present" : "absent", where},
  };
  comm::require_same(world, facts, ExitCode::data,
                     "copy the same dataset to all hosts, or keep it on a file system they share");
}

void require_same_checkpoint(comm::Communicator& world,
                             const std::optional<checkpoint::Checked>& checkpoint) {
  comm::Fact fact{"checkpoint to resume", "none"};
  if (checkpoint) {
    const std::string manifest = checkpoint->manifest.to_json();
    fact.value =
        fmt::format("step {}, state {}, manifest {}", checkpoint->manifest.state.step,
                    checkpoint->manifest.state_hash.hex(), hash_of(std::span{manifest}).hex());
    fact.where = "'" + checkpoint->folder.string() + "'";
  }
  comm::require_same(world, {fact}, ExitCode::data,
                     "let all ranks see the same run.dir and checkpoints");
}

}  // namespace ballast::train

#include "train/agreement.hpp"

#include "checkpoint/folders.hpp"
#include "checkpoint/manifest.hpp"
#include "comm/agree.hpp"
#include "comm/same.hpp"
#include "storage/files.hpp"

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
                             const std::optional<std::filesystem::path>& checkpoint) {
  const auto fact = comm::agree_on<comm::Fact>(world, "checkpoint.resume", [&]() -> comm::Fact {
    if (!checkpoint) return {"checkpoint to resume", "none"};
    const auto manifest = checkpoint::Manifest::read(*checkpoint);
    const auto file = *checkpoint / checkpoint::kManifestName;
    return {"checkpoint to resume",
            fmt::format("step {}, state {}, manifest {}", manifest.state.step,
                        manifest.state_hash.hex(), storage::hash_file(file).hex()),
            "'" + checkpoint->string() + "'"};
  });
  comm::require_same(world, {fact}, ExitCode::data,
                     "let all ranks see the same run.dir and checkpoints");
}

}  // namespace ballast::train

#include "train/start/foreign_kinds.hpp"

#include <optional>
#include <utility>

#include "base/hash.hpp"
#include "formats/gguf/gguf_model_config.hpp"
#include "formats/gguf/gguf_tokenizer.hpp"
#include "formats/gguf/gguf_weights.hpp"
#include "formats/huggingface/folder_weights.hpp"
#include "formats/huggingface/model_config_json.hpp"
#include "formats/safetensors/safetensors_folder.hpp"

namespace ballast::train {

namespace fs = std::filesystem;

namespace {

class FolderModel final : public ForeignModel {
 public:
  FolderModel(const fs::path& folder, const formats::HuggingFaceConfig& config)
      : ForeignModel{folder, config.model, config.special, config.ignored} {}

  [[nodiscard]] std::string_view kind() const override { return "a Hugging Face folder"; }
  [[nodiscard]] std::unique_ptr<model::WeightSource> open(
      const model::ParameterTable& table) const override {
    return std::make_unique<formats::HuggingFaceWeights>(table, path());
  }
  [[nodiscard]] ElementType stored_type(const model::ParameterTable& table) const override {
    return formats::stored_type(table, path());
  }
  [[nodiscard]] data::TokenizerFiles tokenizer_files() const override {
    return formats::checked_tokenizer_files(path(), model().vocabulary);
  }
  [[nodiscard]] std::string sample_hash() const override {
    return formats::SafetensorsFolder{path()}.sample().hex();
  }
};

formats::SpecialTokens special_of(const formats::GgufModel& model) {
  formats::SpecialTokens special{.bos = model.bos, .pad = model.pad};
  if (model.eos) special.eos = {*model.eos};
  return special;
}

class GgufFileModel final : public ForeignModel {
 public:
  GgufFileModel(const fs::path& path, const formats::GgufModel& model)
      : ForeignModel{path, model.model, special_of(model)} {}

  [[nodiscard]] std::string_view kind() const override { return "a GGUF file"; }
  [[nodiscard]] std::unique_ptr<model::WeightSource> open(
      const model::ParameterTable& table) const override {
    return std::make_unique<formats::GgufWeights>(table, path());
  }
  [[nodiscard]] ElementType stored_type(const model::ParameterTable&) const override {
    return formats::stored_type(formats::GgufFile{path()});
  }
  [[nodiscard]] data::TokenizerFiles tokenizer_files() const override {
    const formats::GgufFile file{path()};
    return formats::gguf_tokenizer_files({file.path(), file.metadata()});
  }
  [[nodiscard]] std::string sample_hash() const override {
    Hasher hasher;
    formats::GgufFile{path()}.sample(hasher);
    return hasher.digest().hex();
  }
};

}  // namespace

std::shared_ptr<const ForeignModel> read_folder_model(const fs::path& folder,
                                                      std::string_view config) {
  return std::make_shared<FolderModel>(
      folder, formats::parse_huggingface_config(config, folder / kForeignConfigName));
}

std::shared_ptr<const ForeignModel> read_gguf_model_file(const fs::path& path) {
  return std::make_shared<GgufFileModel>(path, formats::read_gguf_model(formats::GgufFile{path}));
}

}  // namespace ballast::train

#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "data/tokenizers/tokenizer_files.hpp"
#include "formats/huggingface/special_tokens.hpp"
#include "model/model_config.hpp"
#include "model/parameters.hpp"
#include "model/weight_source.hpp"
#include "tensor/element.hpp"

namespace ballast::train {

/// A model that another program wrote: a Hugging Face folder, or a GGUF file. Whoever knows one can
/// compute with it and does not ask which of them it is. All errors are data Errors that name the
/// file.
class ForeignModel {
 public:
  virtual ~ForeignModel() = default;

  /// The folder or the file.
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] const model::ModelConfig& model() const { return model_; }
  [[nodiscard]] const formats::SpecialTokens& special() const { return special_; }
  /// What it asks of a training and Ballast does not do: a line each.
  [[nodiscard]] const std::vector<std::string>& ignored() const { return ignored_; }

  /// "a Hugging Face folder"
  [[nodiscard]] virtual std::string_view kind() const = 0;
  /// The weights, for a model of this table, which must outlive the result.
  [[nodiscard]] virtual std::unique_ptr<model::WeightSource> open(
      const model::ParameterTable& table) const = 0;
  /// The type that holds all matrices as they are stored; fp32 where there is no narrower one.
  [[nodiscard]] virtual ElementType stored_type(const model::ParameterTable& table) const = 0;
  /// Its tokenizer, as files of a Hugging Face folder; empty if it has none.
  [[nodiscard]] virtual data::TokenizerFiles tokenizer_files() const = 0;
  /// Of sizes, headers and parts of the weights: models that differ in more than a few numbers have
  /// other ones.
  [[nodiscard]] virtual std::string sample_hash() const = 0;

 protected:
  ForeignModel(std::filesystem::path path, model::ModelConfig model, formats::SpecialTokens special,
               std::vector<std::string> ignored = {})
      : path_{std::move(path)},
        model_{std::move(model)},
        special_{std::move(special)},
        ignored_{std::move(ignored)} {}

 private:
  std::filesystem::path path_;
  model::ModelConfig model_;
  formats::SpecialTokens special_;
  std::vector<std::string> ignored_;
};

}  // namespace ballast::train

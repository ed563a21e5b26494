#include "fuzz/formats.hpp"

#include <array>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/json.hpp"
#include "calibrate/run.hpp"
#include "checkpoint/manifest.hpp"
#include "checkpoint/shard_file.hpp"
#include "cli/ini.hpp"
#include "data/corpus.hpp"
#include "data/dataset.hpp"
#include "formats/gguf/gguf_model_config.hpp"
#include "formats/gguf/gguf_weights.hpp"
#include "formats/huggingface/model_config_json.hpp"
#include "formats/safetensors/safetensors_folder.hpp"
#include "formats/safetensors/safetensors_index.hpp"
#include "kernels/gemm/gemm_table.hpp"
#include "monitor/alerts/calibration.hpp"
#include "monitor/state_text.hpp"
#include "report/report.hpp"
#include "train/settings/keys.hpp"

#include "fuzz/scratch.hpp"
#include "fuzz/tokenizer_formats.hpp"

namespace ballast::fuzz {

namespace {

using std::string_view_literals::operator""sv;

using Input = std::span<const std::uint8_t>;

std::string text_of(Input input) { return {input.begin(), input.end()}; }

/// A run with a log of one step, to which one file of the input's is added.
class RunFolder {
 public:
  RunFolder() {
    write("log.jsonl", R"({"step":1,"loss":5.5,"grad_norm":1.25,"lr":0.001})");
    write("monitor.jsonl",
          R"({"step":1,"source":"live","feature_version":2,"features":{"loss":5.5}})");
  }
  [[nodiscard]] const std::filesystem::path& path() const { return scratch_.path(); }
  void add(const char* file, Input input) const { scratch_.write(file, input); }

 private:
  void write(const char* name, std::string_view line) const {
    const std::string text = std::string{line} + "\n";
    scratch_.write(name, {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
  }
  Scratch scratch_;
};

void read_json(Input input) { (void)parse_json(text_of(input)); }

void read_configuration(Input input) {
  const auto given = cli::parse_ini(text_of(input), "train.ini");
  train::Config config;
  cli::assign(given, train::key_options(config));
}

void read_manifest(Input input) { (void)checkpoint::Manifest::parse(text_of(input), "step-1"); }

void read_monitor_state(Input input) { (void)monitor::parse_state(text_of(input), "step-1"); }

void read_calibration(Input input) {
  (void)monitor::Calibration::parse(text_of(input), "risk.json").to_json();
}

void read_gemm_table(Input input) {
  (void)kernels::GemmTable::parse_rules(text_of(input), "table");
}

/// As `report` reads it, beside the other logs of a run.
template <const char* file>
void read_for_report(Input input) {
  static const RunFolder run;
  run.add(file, input);
  (void)report::make_page(run.path(), {});
}

/// As `monitor calibrate` reads it.
template <const char* file>
void read_for_calibration(Input input) {
  static const RunFolder run;
  run.add(file, input);
  const calibrate::RunFacts facts{{"pre", true, 8, 2}, 100};
  (void)calibrate::read_run(run.path(), facts, std::array{monitor::Feature::loss});
}

constexpr char kLog[] = "log.jsonl";
constexpr char kMonitor[] = "monitor.jsonl";
constexpr char kAlerts[] = "alerts.jsonl";
constexpr char kTrainLog[] = "train.log";

class Nowhere final : public data::DocumentSink {
 public:
  void begin_document(float) override {}
  void text(std::string_view) override {}
  void ids(std::span<const std::int32_t>) override {}
};

void read_json_lines(Input input) {
  static const Scratch scratch;
  const data::Source source{.path = scratch.write("a.jsonl", input),
                            .name = "a.jsonl",
                            .format = data::SourceFormat::jsonl};
  Nowhere nowhere;
  const data::ReadRules of_text{};
  const data::ReadRules of_ids{.kind = data::TextKind::ids,
                               .field = "ids",
                               .bad_lines = data::BadLines::skip,
                               .vocabulary = 300};
  for (const auto& rules : {of_ids, of_text}) {
    (void)data::read_source(source, rules, nowhere,
                            {[](std::uint64_t) {}, [](const std::string&) {}});
  }
}

void read_dataset(Input input) {
  static const Scratch scratch;
  constexpr std::size_t kSeqLen = 4;
  const data::Dataset dataset{scratch.write("a.h5", input)};
  (void)dataset.sources();
  (void)dataset.tokenizer_model();
  std::array<std::int32_t, kSeqLen> inputs{}, labels{}, segments{};
  std::array<float, kSeqLen> weights{};
  for (const data::Split split : {data::Split::train, data::Split::validation}) {
    const std::size_t windows = dataset.windows(split, kSeqLen);
    for (const std::size_t window : {std::size_t{0}, windows / 2, windows - 1}) {
      dataset.read_window(split, kSeqLen, window, {inputs, labels, segments, weights});
    }
  }
}

void read_shard(Input input) {
  static const Scratch scratch;
  const checkpoint::ShardFile shard{scratch.write("rank.h5", input)};
  std::vector<float> granule(kGranule);
  for (const auto& row : shard.rows()) {
    if (row.granules == 0) continue;
    for (const auto part : checkpoint::kParts) {
      if (shard.granules(part) > 0) shard.read(part, {0, 1}, granule);
    }
  }
}

void read_safetensors(Input input) {
  static const Scratch scratch;
  const formats::SafetensorsFile file{scratch.write("a.safetensors", input)};
  std::vector<float> values(2);
  for (const auto& tensor : file.tensors()) {
    if (!tensor.dtype->element || tensor.numel < values.size()) continue;
    file.read(tensor.name, 0, values);
    file.read(tensor.name, tensor.numel - values.size(), values);
  }
}

/// Beside files that it may name.
void read_safetensors_index(Input input) {
  static const Scratch scratch;
  constexpr std::string_view kShard =
      "\x38\0\0\0\0\0\0\0"
      R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}  )"
      "\0\0\x80\x3f"sv;
  static const auto shard =
      scratch.write("1", {reinterpret_cast<const std::uint8_t*>(kShard.data()), kShard.size()});
  scratch.write(formats::kSafetensorsIndexName, input);
  const formats::SafetensorsFolder folder{scratch.path()};
  std::vector<float> values(1);
  for (const auto& name : folder.names()) folder.read(name, 0, values);
}

/// Whatever is read can be written, and is then read as the same.
void read_huggingface_config(Input input) {
  const auto config = formats::parse_huggingface_config(text_of(input), "config.json");
  try {
    const std::string text = formats::huggingface_config_json(config, "float32");
    const auto again = formats::parse_huggingface_config(text, "written");
    if (formats::huggingface_config_json(again, "float32") == text) return;
  } catch (const Error& error) {
    throw std::logic_error{error.what()};
  }
  throw std::logic_error{"what was written is read as another model"};
}

void read_gguf(Input input) {
  static const Scratch scratch;
  const formats::GgufFile file{scratch.write("a.gguf", input)};
  for (const auto& tensor : file.tensors()) {
    const std::size_t block = layout_of(tensor.type).values;
    if (tensor.numel < block) continue;
    std::vector<float> values(block);
    file.read(tensor.name, 0, values);
    file.read(tensor.name, tensor.numel - block, values);
  }
  const auto found = formats::read_gguf_model(file);
  constexpr std::uint64_t kMostNumel = 1 << 16;  // the table grows with what the file claims
  if (found.model.layers > 64) return;
  const model::ParameterTable table{found.model};
  formats::GgufWeights weights{table, file.path()};
  if (table.total_numel() > kMostNumel) return;
  std::vector<float> granule(kGranule);
  for (const auto& row : table.parameters()) weights.read(row, {0, 1}, granule);
}

constexpr std::array kFormats{
    Format{"json", read_json},
    Format{"configuration", read_configuration},
    Format{"manifest", read_manifest},
    Format{"monitor_state", read_monitor_state},
    Format{"calibration", read_calibration},
    Format{"gemm_table", read_gemm_table},
    Format{"report_log", read_for_report<kLog>},
    Format{"report_monitor", read_for_report<kMonitor>},
    Format{"report_alerts", read_for_report<kAlerts>},
    Format{"report_train_log", read_for_report<kTrainLog>},
    Format{"calibrate_log", read_for_calibration<kLog>},
    Format{"calibrate_monitor", read_for_calibration<kMonitor>},
    Format{"calibrate_alerts", read_for_calibration<kAlerts>},
    Format{"json_lines", read_json_lines},
    Format{"tokenizer", read_sentencepiece},
    Format{"tokenizer_model", read_published_sentencepiece},
    Format{"tokenizer_json", read_tokenizer_json},
    Format{"tokenizer_config", read_tokenizer_config},
    Format{"packed_tokenizer", read_packed_tokenizer},
    Format{"dataset", read_dataset},
    Format{"shard", read_shard},
    Format{"safetensors", read_safetensors},
    Format{"safetensors_index", read_safetensors_index},
    Format{"huggingface_config", read_huggingface_config},
    Format{"gguf", read_gguf},
    Format{"gguf_tokenizer", read_gguf_tokenizer},
};

}  // namespace

std::span<const Format> formats() { return kFormats; }

}  // namespace ballast::fuzz

#include "checkpoint/manifest.hpp"

#include <algorithm>
#include <cmath>
#include <set>
#include <span>
#include <sstream>
#include <utility>

#include "base/error.hpp"
#include "base/json.hpp"
#include "base/text.hpp"
#include "storage/files.hpp"

namespace ballast::checkpoint {

namespace {

constexpr const char* kFormat = "ballast checkpoint";

/// The end of a manifest: the hash of all the text before it, so that no altered byte goes unseen.
std::string seal(std::string_view body) {
  return fmt::format(",\n  \"manifest_hash\": \"{}\"\n}}\n", hash_of(std::span{body}).hex());
}

/// A value of the document and its path in it, for messages.
class Node {
 public:
  Node(const Json& value, std::string where, const std::filesystem::path& file)
      : value_{&value}, where_{std::move(where)}, file_{&file} {}

  [[nodiscard]] Node at(const std::string& key) const {
    require(value_->is_object(), "an object");
    const std::string where = where_.empty() ? key : where_ + "." + key;
    const auto found = value_->find(key);
    if (found == value_->end()) {
      throw data_error("'{}' lacks the key '{}'", file_->string(), where);
    }
    return {*found, where, *file_};
  }

  /// Whether this object has a key that older checkpoints lack.
  [[nodiscard]] bool has(const std::string& key) const { return value_->contains(key); }

  template <class Visit>
  void for_each_element(Visit&& visit) const {
    require(value_->is_array(), "a list");
    std::size_t number = 0;
    for (const auto& value : *value_) {
      visit(Node{value, fmt::format("{}[{}]", where_, number++), *file_});
    }
  }

  [[nodiscard]] std::map<std::string, std::string> texts() const {
    require(value_->is_object(), "an object");
    std::map<std::string, std::string> texts;
    for (const auto& [key, value] : value_->items()) {
      texts[key] = Node{value, fmt::format("{}.{}", where_, excerpt(key)), *file_}.text();
    }
    return texts;
  }

  [[nodiscard]] std::uint64_t number() const {
    require(value_->is_number_unsigned(), "an integer of 0 or more");
    return value_->get<std::uint64_t>();
  }

  [[nodiscard]] double real() const {
    require(value_->is_number(), "a number");
    return value_->get<double>();
  }

  [[nodiscard]] std::string text() const {
    require(value_->is_string(), "a text");
    return value_->get<std::string>();
  }

  [[nodiscard]] Hash128 hash() const {
    const std::string hex = text();
    return with_context(fmt::format("key '{}' of '{}'", where_, file_->string()),
                        [&] { return Hash128::parse(hex); });
  }

  void require(bool fulfilled, std::string_view what) const {
    if (!fulfilled) {
      throw data_error("key '{}' of '{}' is not {}", where_, file_->string(), what);
    }
  }

 private:
  const Json* value_;
  std::string where_;
  const std::filesystem::path* file_;
};

Json parse_document(const std::string& text, const std::filesystem::path& path) {
  return with_context(fmt::format("'{}' is damaged", path.string()),
                      [&] { return parse_json(text); });
}

void require_seal(const std::string& json, const std::filesystem::path& path) {
  const std::size_t tail = std::min(json.size(), seal("").size());
  const std::string_view body = std::string_view{json}.substr(0, json.size() - tail);
  if (json.ends_with(seal(body))) return;
  throw data_error("'{}' was altered: its text does not have the hash at its end", path.string());
}

/// Every version has the same seal, so that an altered number is not taken for another version.
void require_version(const Node& root, const std::string& json, const std::filesystem::path& path) {
  root.at("format").require(root.at("format").text() == kFormat, "that of a checkpoint");
  const std::uint64_t version = root.at("format_version").number();
  if (version >= Manifest::kOldestVersion && version <= Manifest::kFormatVersion) return;
  require_seal(json, path);
  const std::string_view advice = version > Manifest::kFormatVersion
                                      ? "use the newer build that wrote it"
                                      : "use the older build that wrote it";
  throw UnknownFormat{
      ExitCode::data,
      fmt::format("'{}' has format version {}; this build reads versions {} to {}: {}",
                  path.string(), version, Manifest::kOldestVersion, Manifest::kFormatVersion,
                  advice)};
}

TrainingState parse_state(const Node& node) {
  return {
      .step = node.at("step").number(),
      .optimizer_steps = node.at("optimizer_steps").number(),
      .seed = node.at("seed").number(),
      .cursor = node.at("cursor").number(),
      .tokens = node.at("tokens").number(),
      .loss_scaler = {.scale = node.at("loss_scale").real(),
                      .good_steps = node.at("scale_good_steps").number(),
                      .tolerance = node.at("scale_tolerance").number()},
  };
}

std::vector<TensorEntry> parse_tensors(const Node& list) {
  std::vector<TensorEntry> tensors;
  list.for_each_element([&](const Node& node) {
    TensorEntry entry{node.at("name").text(), {}};
    node.at("shape").for_each_element(
        [&](const Node& extent) { entry.shape.push_back(extent.number()); });
    tensors.push_back(std::move(entry));
  });
  return tensors;
}

/// A name that cannot lead out of the checkpoint's folder.
bool is_plain_name(const std::string& name) {
  return !name.empty() && name != "." && name != ".." &&
         name.find_first_of(std::string_view{"/\0", 2}) == std::string::npos;
}

/// Lines of text, one element each.
std::string parse_lines(const Node& list) {
  std::string text;
  list.for_each_element([&](const Node& line) { text += line.text() + "\n"; });
  return text;
}

Json lines_json(const std::string& text) {
  auto lines = Json::array();
  std::istringstream stream{text};
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

FileEntry parse_file(const Node& node) {
  const Node name = node.at("name");
  name.require(is_plain_name(name.text()), "the plain name of a file");
  return {name.text(), node.at("bytes").number(), node.at("hash").hash()};
}

std::vector<FileEntry> parse_files(const Node& list) {
  std::vector<FileEntry> files;
  std::set<std::string> names;
  list.for_each_element([&](const Node& node) {
    files.push_back(parse_file(node));
    node.at("name").require(names.insert(files.back().name).second, "unique");
  });
  return files;
}

Json file_json(const FileEntry& file) {
  return {{"name", file.name}, {"bytes", file.bytes}, {"hash", file.hash.hex()}};
}

Json state_json(const TrainingState& state) {
  const optim::LossScalerState& scaler = state.loss_scaler;
  if (!std::isfinite(scaler.scale)) {
    throw internal_error("the loss scale {} cannot be saved", scaler.scale);
  }
  return {{"step", state.step},
          {"optimizer_steps", state.optimizer_steps},
          {"seed", state.seed},
          {"cursor", state.cursor},
          {"tokens", state.tokens},
          {"loss_scale", scaler.scale},
          {"scale_good_steps", scaler.good_steps},
          {"scale_tolerance", scaler.tolerance}};
}

}  // namespace

std::string Manifest::to_json() const {
  Json root{{"format", kFormat},          {"format_version", kFormatVersion},
            {"state", state_json(state)}, {"state_hash", state_hash.hex()},
            {"writers", writers},         {"numerics", numerics},
            {"identity", Json::object()}, {"tensors", Json::array()},
            {"files", Json::array()}};
  if (!monitor.empty()) root["monitor"] = monitor;
  if (!gemm_table.empty()) root["gemm_table"] = lines_json(gemm_table);
  for (const auto& [key, value] : identity) root["identity"][key] = value;
  for (const auto& tensor : tensors) {
    root["tensors"].push_back({{"name", tensor.name}, {"shape", tensor.shape}});
  }
  for (const auto& file : files) root["files"].push_back(file_json(file));
  if (tokenizer) root["tokenizer"] = file_json(*tokenizer);
  if (!settings.empty()) root["settings"] = lines_json(settings);
  if (lr && std::isfinite(*lr)) root["lr"] = *lr;
  try {
    std::string body = root.dump(2);
    body.resize(body.size() - std::string_view{"\n}"}.size());
    return body + seal(body);
  } catch (const Json::exception& error) {
    throw internal_error("the manifest cannot be written: {}", error.what());
  }
}

Manifest Manifest::parse(const std::string& json, const std::filesystem::path& path) {
  const Json document = parse_document(json, path);
  const Node root{document, "", path};
  if (!document.is_object()) throw data_error("'{}' is not a manifest", path.string());
  require_version(root, json, path);
  Manifest manifest{
      .state = parse_state(root.at("state")),
      .state_hash = root.at("state_hash").hash(),
      .writers = root.at("writers").number(),
      .tensors = parse_tensors(root.at("tensors")),
      .files = parse_files(root.at("files")),
      .identity = root.at("identity").texts(),
      .numerics = root.at("numerics").text(),
      .gemm_table = root.has("gemm_table") ? parse_lines(root.at("gemm_table")) : "",
      .monitor = root.has("monitor") ? root.at("monitor").text() : "",
      .tokenizer = {},
      .settings = root.has("settings") ? parse_lines(root.at("settings")) : "",
      .lr = {},
  };
  if (root.has("tokenizer")) manifest.tokenizer = parse_file(root.at("tokenizer"));
  if (root.has("lr")) manifest.lr = root.at("lr").real();
  root.at("writers").require(manifest.writers == manifest.files.size(), "the number of files");
  (void)root.at("manifest_hash").hash();
  require_seal(json, path);
  return manifest;
}

void refuse_link(const std::filesystem::path& path) {
  std::error_code unreadable;  // reading it will tell
  if (std::filesystem::is_symlink(path, unreadable)) {
    throw data_error("'{}' is a link: the files of a checkpoint lie in its own folder",
                     path.string());
  }
}

Manifest Manifest::read(const std::filesystem::path& folder) {
  const auto path = folder / kManifestName;
  refuse_link(path);
  return parse(storage::read_text(path), path);
}

}  // namespace ballast::checkpoint

#include "formats/safetensors/safetensors_plan.hpp"

#include <algorithm>
#include <limits>
#include <optional>

#include "base/error.hpp"
#include "base/json.hpp"
#include "base/text.hpp"
#include "formats/checked.hpp"
#include "formats/safetensors/safetensors_header.hpp"
#include "formats/safetensors/safetensors_index.hpp"

namespace ballast::formats {

namespace {

/// Positions in files are signed.
constexpr auto kMostBytes =
    static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) - 2 * kMostHeaderBytes;

using Tensors = std::vector<const NamedShape*>;

void require_name(const std::string& name) {
  const bool is_text = excerpt(name, name.size()) == name;
  if (!name.empty() && name.size() <= kLongestTensorName && is_text && name != "__metadata__") {
    return;
  }
  throw internal_error("no tensor of a safetensors file can have the name '{}'", excerpt(name));
}

std::uint64_t numel_to_write(const NamedShape& tensor) {
  if (const auto numel = numel_of(tensor.shape)) return *numel;
  throw usage_error("tensor '{}' has more elements than 64-bit numbers count: choose smaller sizes",
                    tensor.name);
}

std::uint64_t bytes_to_write(const NamedShape& tensor, ElementType type) {
  const auto bytes = checked_product(numel_to_write(tensor), size_of(type));
  if (bytes && *bytes <= kMostBytes) return *bytes;
  throw usage_error("tensor '{}' has more bytes than a file can hold: choose smaller sizes",
                    tensor.name);
}

/// huggingface_hub's split_state_dict_into_shards_factory: a tensor beyond `most_bytes` is a file
/// at once, while the one that is being filled goes on.
std::vector<Tensors> split(std::span<const NamedShape> tensors, ElementType type,
                           std::uint64_t most_bytes) {
  std::vector<Tensors> files;
  Tensors filled;
  std::uint64_t filled_bytes = 0;
  for (const auto& tensor : tensors) {
    const std::uint64_t bytes = bytes_to_write(tensor, type);
    if (bytes > most_bytes) {
      files.push_back({&tensor});
      continue;
    }
    if (bytes > most_bytes - filled_bytes) {
      files.push_back(std::move(filled));
      filled.clear();
      filled_bytes = 0;
    }
    filled.push_back(&tensor);
    filled_bytes += bytes;
  }
  if (!filled.empty() || files.empty()) files.push_back(std::move(filled));
  return files;
}

std::string file_name(std::size_t file, std::size_t files) {
  if (files == 1) return kSafetensorsName;
  return fmt::format("model-{:05}-of-{:05}.safetensors", file + 1, files);
}

/// Length and text, padded with blanks so that the data begin at a multiple of 8.
std::string head_of(const Json& header) {
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');
  if (text.size() > kMostHeaderBytes) {
    throw usage_error("a header would have {} bytes; at most {} are read: allow smaller files",
                      text.size(), kMostHeaderBytes);
  }
  std::string head;
  for (std::size_t i = 0; i < kSafetensorsLengthBytes; ++i) {
    head += static_cast<char>(text.size() >> (8 * i) & 0xff);
  }
  return head + text;
}

std::uint64_t sum_of_bytes(std::uint64_t a, std::uint64_t b) {
  const auto sum = checked_sum(a, b);
  if (sum && *sum <= kMostBytes) return *sum;
  throw usage_error("the tensors have more bytes than files can hold: choose smaller sizes");
}

}  // namespace

SafetensorsPlan::SafetensorsPlan(std::span<const NamedShape> tensors, ElementType type,
                                 std::uint64_t most_bytes)
    : type_{type} {
  std::uint64_t tensor_bytes = 0;
  for (const auto& tensor : tensors) {
    require_name(tensor.name);
    tensor_bytes = sum_of_bytes(tensor_bytes, bytes_to_write(tensor, type));
    total_parameters_ += numel_to_write(tensor);  // not more than the bytes
  }
  const auto files = split(tensors, type, most_bytes);
  if (files.size() > kMostSafetensorsFiles) {
    throw usage_error(
        "files of at most {} would be {} files; at most {} are read: allow larger ones",
        human_bytes(most_bytes), files.size(), kMostSafetensorsFiles);
  }
  for (const auto& file : files) add_file(file_name(files_.size(), files.size()), file);
  if (files.size() == 1) return;
  WeightMap weight_map;
  for (const auto& [name, tensor] : tensors_) weight_map.emplace(name, files_[tensor.file].name);
  index_ = write_index(weight_map, total_parameters_, tensor_bytes);
}

void SafetensorsPlan::add_file(const std::string& name, std::vector<const NamedShape*> tensors) {
  if (tensors.size() >= kMostTensors) {
    throw usage_error("a file would hold {} tensors; fewer than {} are read: allow smaller files",
                      tensors.size(), kMostTensors);
  }
  // The reference sorts by the alignment of the type, the largest first, and then by name; here all
  // are of one type.
  std::ranges::sort(tensors, {}, [](const NamedShape* tensor) { return tensor->name; });
  Json header{{"__metadata__", {{"format", "pt"}}}};
  // As a list: the object's own insertion searches all keys before it.
  auto& entries =
      static_cast<std::vector<Json::object_t::value_type>&>(header.get_ref<Json::object_t&>());
  std::uint64_t end = 0;
  for (const auto* tensor : tensors) {
    const std::uint64_t begin = end;
    end += bytes_to_write(*tensor, type_);
    entries.emplace_back(tensor->name, Json{{"dtype", dtype_of(type_).name},
                                            {"shape", tensor->shape},
                                            {"data_offsets", {begin, end}}});
    const bool is_new =
        tensors_.emplace(tensor->name, PlannedTensor{files_.size(), begin, numel_to_write(*tensor)})
            .second;
    if (!is_new) throw internal_error("two tensors have the name '{}'", tensor->name);
  }
  PlannedFile file{name, head_of(header), 0};
  file.bytes = file.head.size() + end;
  for (const auto* tensor : tensors) {
    tensors_.find(tensor->name)->second.begin += file.head.size();
  }
  files_.push_back(std::move(file));
}

const PlannedTensor& SafetensorsPlan::tensor(std::string_view name) const {
  const auto found = tensors_.find(name);
  if (found != tensors_.end()) return found->second;
  throw internal_error("no tensor '{}' is to be written", excerpt(name));
}

std::uint64_t SafetensorsPlan::total_bytes() const {
  std::uint64_t bytes = 0;
  for (const auto& file : files_) bytes += file.bytes;
  return bytes;
}

}  // namespace ballast::formats

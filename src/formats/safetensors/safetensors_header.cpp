#include "formats/safetensors/safetensors_header.hpp"

#include <algorithm>
#include <functional>
#include <utility>

#include "base/error.hpp"
#include "base/json.hpp"
#include "base/text.hpp"
#include "formats/checked.hpp"

namespace ballast::formats {

namespace {

constexpr const char* kMetadata = "__metadata__";

/// A header needs a depth of 3; keys that the format does not know may hold more. Memory is enough
/// for kMostTensors matrices.
constexpr JsonLimits kLimits{.depth = 16, .value_bytes = std::size_t{64} << 20};

void require_metadata(const Json& metadata) {
  if (!metadata.is_object()) throw data_error("{} is no object", kMetadata);
  for (const auto& [key, value] : metadata.items()) {
    if (!value.is_string()) {
      throw data_error("{}: the value of '{}' is no string", kMetadata, excerpt(key));
    }
  }
}

const Json& member(const Json& entry, const char* key) {
  const auto found = entry.find(key);
  if (found == entry.end()) throw data_error("it has no {}", key);
  return *found;
}

std::vector<std::uint64_t> whole_numbers(const Json& entry, const char* key) {
  const Json& list = member(entry, key);
  if (!list.is_array()) throw data_error("{} is no list", key);
  std::vector<std::uint64_t> numbers;
  numbers.reserve(list.size());
  for (const Json& value : list) numbers.push_back(whole_number(value, key));
  return numbers;
}

const SafetensorsDtype& known_dtype(const Json& entry) {
  const Json& name = member(entry, "dtype");
  if (!name.is_string()) throw data_error("dtype is no string");
  const auto* const dtype = find_dtype(name.get_ref<const std::string&>());
  if (dtype == nullptr) {
    throw data_error("dtype '{}' is unknown", excerpt(name.get_ref<const std::string&>()));
  }
  return *dtype;
}

/// Bytes that the shape takes.
std::uint64_t bytes_of(const SafetensorsTensor& tensor) {
  const auto bits = checked_product(tensor.numel, tensor.dtype->bits);
  if (!bits) throw data_error("its shape has more bits than 64-bit numbers count");
  if (*bits % 8 != 0) throw data_error("its {} bits are no whole number of bytes", *bits);
  return *bits / 8;
}

SafetensorsTensor parse_entry(const Json& entry) {
  if (!entry.is_object()) throw data_error("its entry is no object");
  SafetensorsTensor tensor;
  tensor.dtype = &known_dtype(entry);
  tensor.shape = whole_numbers(entry, "shape");
  const auto numel = numel_of(tensor.shape);
  if (!numel) throw data_error("its shape has more elements than 64-bit numbers count");
  tensor.numel = *numel;
  const auto offsets = whole_numbers(entry, "data_offsets");
  if (offsets.size() != 2) throw data_error("data_offsets are {} numbers, not 2", offsets.size());
  tensor.begin = offsets[0];
  tensor.end = offsets[1];
  if (tensor.begin > tensor.end) {
    throw data_error("it begins at byte {} of the data, after its end at {}", tensor.begin,
                     tensor.end);
  }
  if (const std::uint64_t bytes = bytes_of(tensor); bytes != tensor.end - tensor.begin) {
    throw data_error("its shape takes {} bytes as {}, its offsets {} to {} hold {}", bytes,
                     tensor.dtype->name, tensor.begin, tensor.end, tensor.end - tensor.begin);
  }
  return tensor;
}

void require_name(const std::string& name) {
  if (name.size() <= kLongestTensorName) return;
  throw data_error("the name '{}' has {} bytes; at most {} are read", excerpt(name), name.size(),
                   kLongestTensorName);
}

/// Every byte of the data must be one tensor's.
void require_cover(const std::vector<SafetensorsTensor>& tensors, std::uint64_t data_bytes) {
  std::vector<const SafetensorsTensor*> sorted;
  sorted.reserve(tensors.size());
  for (const auto& tensor : tensors) sorted.push_back(&tensor);
  std::ranges::sort(sorted, {}, [](const SafetensorsTensor* tensor) {
    return std::pair{tensor->begin, tensor->end};
  });
  std::uint64_t covered = 0;
  for (const auto* tensor : sorted) {
    if (tensor->begin != covered) {
      throw data_error(
          "tensor '{}' begins at byte {} of the data, but the one before it ends at {}",
          excerpt(tensor->name), tensor->begin, covered);
    }
    covered = tensor->end;
  }
  if (covered > data_bytes) {
    throw data_error("its tensors take {} bytes, but only {} follow the header", covered,
                     data_bytes);
  }
  if (covered < data_bytes) {
    throw data_error("{} bytes follow the header, but its tensors take only {}", data_bytes,
                     covered);
  }
}

}  // namespace

std::vector<SafetensorsTensor> parse_safetensors_header(std::string_view text,
                                                        std::uint64_t data_bytes) {
  if (!text.starts_with('{')) throw data_error("the header does not begin with '{{'");
  const Json header = with_context("header", [&] { return parse_json(text, kLimits); });
  if (header.size() > kMostTensors) {
    throw data_error("the header has {} entries; at most {} are read", header.size(), kMostTensors);
  }
  std::vector<SafetensorsTensor> tensors;
  tensors.reserve(header.size());
  for (const auto& [name, entry] : header.items()) {
    if (name == kMetadata) {
      require_metadata(entry);
      continue;
    }
    require_name(name);
    try {
      tensors.push_back(parse_entry(entry));
    } catch (const Error& error) {
      throw Error{error.code(), fmt::format("tensor '{}': {}", excerpt(name), error.what())};
    }
    tensors.back().name = name;
  }
  require_cover(tensors, data_bytes);
  return tensors;
}

}  // namespace ballast::formats

#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tensor/element.hpp"

namespace ballast::formats {

/// A tensor to be written.
struct NamedShape {
  std::string name;
  std::vector<std::uint64_t> shape;
};

/// A file of a plan.
struct PlannedFile {
  std::string name;
  std::string head;         ///< its first bytes: the length of the header, and the header
  std::uint64_t bytes = 0;  ///< in all
};

/// Where a tensor goes.
struct PlannedTensor {
  std::size_t file = 0;
  std::uint64_t begin = 0;  ///< byte of the file
  std::uint64_t numel = 0;
};

/// Which tensor goes to which file and to which byte of it: all that processes must agree on to
/// write one model together. Equal arguments give equal plans.
///
/// Names, headers and index are, byte for byte, what Hugging Face's save_pretrained writes of the
/// same tensors in the same order: `model.safetensors`, or `model-00001-of-00003.safetensors`, ...
/// with an index.
class SafetensorsPlan {
 public:
  /// `most_bytes`: of the tensors of a file, header not counted. Tensors fill one file after the
  /// other in the order given; one that is larger than that gets a file of its own. Within a file
  /// they lie in the order of their names.
  ///
  /// Throws a usage Error if that makes more than kMostSafetensorsFiles files, or files that
  /// SafetensorsFile does not read; an internal Error if a name is empty, not unique, too long, no
  /// text, or the one that the format keeps for itself.
  SafetensorsPlan(std::span<const NamedShape> tensors, ElementType type, std::uint64_t most_bytes);

  [[nodiscard]] ElementType type() const { return type_; }
  [[nodiscard]] std::span<const PlannedFile> files() const { return files_; }
  /// Throws an internal Error if there is no such tensor.
  [[nodiscard]] const PlannedTensor& tensor(std::string_view name) const;
  /// The text of model.safetensors.index.json; empty where one file holds all.
  [[nodiscard]] const std::string& index() const { return index_; }
  /// Elements of all tensors.
  [[nodiscard]] std::uint64_t total_parameters() const { return total_parameters_; }
  /// Bytes of all files; the index not counted.
  [[nodiscard]] std::uint64_t total_bytes() const;

 private:
  void add_file(const std::string& name, std::vector<const NamedShape*> tensors);

  ElementType type_;
  std::vector<PlannedFile> files_;
  std::map<std::string, PlannedTensor, std::less<>> tensors_;
  std::string index_;
  std::uint64_t total_parameters_ = 0;
};

}  // namespace ballast::formats

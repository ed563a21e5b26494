#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "storage/byte_source.hpp"
#include "storage/h5/object_header.hpp"
#include "storage/h5/stored_dataset.hpp"

namespace ballast::storage::h5 {

/// The datasets of a file: each is checked when it is first asked for, and then kept. Any number of
/// threads may call it at once. Errors are data Errors that name file and object.
class Catalog {
 public:
  /// Both must outlive it. `root`: the header of the root group.
  Catalog(const ByteSource& source, const ObjectHeader& root) : source_{&source}, root_{&root} {}

  /// Whether the file has an object of that name; folders are cut by "/".
  [[nodiscard]] bool contains(const std::string& object) const {
    return address_of(object).has_value();
  }
  [[nodiscard]] const StoredDataset& get(const std::string& dataset);
  /// Counts a dataset as read whole; each counts once, since callers keep one copy. Throws a data
  /// Error if the sum is more than the file's size plus 16 MiB.
  void count_whole(const std::string& dataset);

 private:
  struct Entry {
    StoredDataset dataset;
    bool is_counted = false;
  };
  Entry& entry(const std::string& name);
  [[nodiscard]] std::optional<std::uint64_t> address_of(const std::string& object) const;
  [[nodiscard]] std::string quoted_path() const;

  const ByteSource* source_;
  const ObjectHeader* root_;
  std::mutex mutex_;
  std::map<std::string, Entry> entries_;
  std::uint64_t whole_bytes_ = 0;
};

}  // namespace ballast::storage::h5

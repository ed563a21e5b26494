#include "storage/h5/reader.hpp"

#include <utility>

#include "storage/h5/attributes.hpp"
#include "storage/h5/catalog.hpp"
#include "storage/h5/each_element.hpp"
#include "storage/h5/superblock.hpp"

namespace ballast::storage {

namespace {

/// The header of the root group.
h5::ObjectHeader root_of(const ByteSource& source) {
  const auto superblock = h5::read_superblock(source);
  const auto where = [&] {
    return fmt::format("cannot read the root group of '{}'", source.path().string());
  };
  return h5::with_late_context(where, [&] { return h5::ObjectHeader{source, superblock.root}; });
}

std::optional<h5::Attribute> find(const ByteSource& source, const h5::ObjectHeader& root,
                                  const std::string& name) {
  const auto where = [&] {
    return fmt::format("cannot read attribute '{}' of '{}'", name, source.path().string());
  };
  return h5::with_late_context(where, [&] { return h5::find_attribute(root, name); });
}

/// What `value_of` makes of an attribute that there must be.
template <class ValueOf>
auto read_attribute(const ByteSource& source, const h5::ObjectHeader& root, const std::string& name,
                    const ValueOf& value_of) {
  const auto attribute = find(source, root, name);
  const std::string file = source.path().string();
  if (!attribute) throw data_error("'{}' has no attribute '{}'", file, name);
  const auto where = [&] { return fmt::format("attribute '{}' of '{}'", name, file); };
  return h5::with_late_context(where, [&] { return value_of(*attribute); });
}

}  // namespace

H5Reader::H5Reader(std::filesystem::path path)
    : source_{std::make_unique<const ByteSource>(std::move(path), "an HDF5 file")},
      root_{std::make_unique<const h5::ObjectHeader>(root_of(*source_))},
      catalog_{std::make_unique<h5::Catalog>(*source_, *root_)},
      chunks_{std::make_unique<h5::ChunkCache>()} {}

H5Reader::~H5Reader() = default;
H5Reader::H5Reader(H5Reader&&) noexcept = default;
H5Reader& H5Reader::operator=(H5Reader&&) noexcept = default;

const std::filesystem::path& H5Reader::path() const { return source_->path(); }

bool H5Reader::contains(const std::string& object) const { return catalog_->contains(object); }

std::size_t H5Reader::size(const std::string& dataset) const {
  return catalog_->get(dataset).size();
}

std::size_t H5Reader::element_size(const std::string& dataset) const {
  return catalog_->get(dataset).element_bytes();
}

std::string H5Reader::storage(const std::string& dataset) const {
  return catalog_->get(dataset).describe();
}

void H5Reader::read_stored_chunk(const std::string& dataset, std::size_t first,
                                 StoredChunk& out) const {
  const auto where = [&] {
    return fmt::format("cannot read the chunk at element {} of dataset '{}' of '{}'", first,
                       dataset, path().string());
  };
  const auto& source = catalog_->get(dataset);
  h5::with_late_context(where, [&] { source.read_stored_chunk(first, out); });
}

bool H5Reader::has_attribute(const std::string& name) const {
  return find(*source_, *root_, name).has_value();
}

std::string H5Reader::text_attribute(const std::string& name) const {
  return read_attribute(*source_, *root_, name, h5::text_of);
}

std::uint64_t H5Reader::number_attribute(const std::string& name) const {
  return read_attribute(*source_, *root_, name, h5::number_of);
}

template <class T>
void H5Reader::read(const std::string& dataset, std::size_t offset, std::span<T> out) const {
  const auto& source = catalog_->get(dataset);
  const std::uint64_t size = source.size();
  if (offset > size || out.size() > size - offset) {
    throw data_error("dataset '{}' of '{}' has {} elements: [{}, {}) is beyond its end", dataset,
                     path().string(), size, offset, offset + out.size());
  }
  const auto where = [&] {
    return fmt::format("cannot read elements [{}, {}) of dataset '{}' of '{}'", offset,
                       offset + out.size(), dataset, path().string());
  };
  h5::with_late_context(where, [&] { source.read(offset, out, *chunks_); });
}

template <class T>
std::vector<T> H5Reader::read_all(const std::string& dataset) const {
  catalog_->count_whole(dataset);
  std::vector<T> values(size(dataset));
  read<T>(dataset, 0, values);
  return values;
}

#define BALLAST_H5_ELEMENT(T)                                                           \
  template void H5Reader::read<T>(const std::string&, std::size_t, std::span<T>) const; \
  template std::vector<T> H5Reader::read_all<T>(const std::string&) const;
BALLAST_H5_EACH_ELEMENT(BALLAST_H5_ELEMENT)
#undef BALLAST_H5_ELEMENT

}  // namespace ballast::storage

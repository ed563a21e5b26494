#include "storage/h5/writer.hpp"

#include <algorithm>
#include <concepts>
#include <sys/stat.h>
#include <utility>

#include "base/text.hpp"
#include "storage/h5/each_element.hpp"
#include "storage/h5/writer_lists.hpp"
#include "storage/h5/writer_reason.hpp"

namespace ballast::storage {

namespace {

using h5::Handle;
using h5::reason_of_library;

template <class T>
hid_t native_type() {
  if constexpr (std::same_as<T, std::uint8_t>) return H5T_NATIVE_UINT8;
  if constexpr (std::same_as<T, std::uint16_t>) return H5T_NATIVE_UINT16;
  if constexpr (std::same_as<T, std::uint32_t>) return H5T_NATIVE_UINT32;
  if constexpr (std::same_as<T, std::uint64_t>) return H5T_NATIVE_UINT64;
  if constexpr (std::same_as<T, std::int32_t>) return H5T_NATIVE_INT32;
  if constexpr (std::same_as<T, std::int64_t>) return H5T_NATIVE_INT64;
  if constexpr (std::same_as<T, float>) return H5T_NATIVE_FLOAT;
  if constexpr (std::same_as<T, double>) return H5T_NATIVE_DOUBLE;
}

/// The library first makes a file as long as it is to be, so its length says nothing.
std::uint64_t bytes_on_disk(const std::filesystem::path& path) {
  constexpr std::uint64_t kBlock = 512;  // of st_blocks, whatever the file system's own is
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 ? static_cast<std::uint64_t>(status.st_blocks) * kBlock
                                            : 0;
}

Handle line_space(std::size_t size, hsize_t max_size) {
  const hsize_t current = size;
  Handle space{H5Screate_simple(1, &current, &max_size), H5Sclose};
  if (space.id() < 0) throw internal_error("HDF5 made no dataspace: {}", reason_of_library());
  return space;
}

std::string quoted(const std::filesystem::path& path) { return fmt::format("'{}'", path.string()); }

std::size_t extent(hid_t dataset) {
  const Handle space{H5Dget_space(dataset), H5Sclose};
  const hssize_t count = H5Sget_simple_extent_npoints(space.id());
  return count < 0 ? 0 : static_cast<std::size_t>(count);
}

/// Selects [offset, offset + count) of a dataset.
Handle select(hid_t dataset, std::size_t offset, std::size_t count) {
  Handle space{H5Dget_space(dataset), H5Sclose};
  const hsize_t start = offset;
  const hsize_t length = count;
  if (count == 0) {
    H5Sselect_none(space.id());
  } else {
    H5Sselect_hyperslab(space.id(), H5S_SELECT_SET, &start, nullptr, &length, nullptr);
  }
  return space;
}

}  // namespace

H5Writer::H5Writer(std::filesystem::path path) : path_{std::move(path)} {
  h5::set_up_library();
  const Handle access = h5::access_list();
  file_ = {H5Fcreate(path_.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, access.id()), H5Fclose};
  if (file_.id() < 0) throw data_error("cannot write {}: {}", quoted(path_), reason_of_library());
}

void H5Writer::create_dataset(const std::string& name, hid_t type, std::size_t size,
                              H5Layout layout, hsize_t max_size) {
  const Handle links = h5::property_list(H5P_LINK_CREATE);
  H5Pset_create_intermediate_group(links.id(), 1);
  const Handle space = line_space(size, max_size);
  const bool is_growing = max_size == H5S_UNLIMITED;
  const Handle creation = is_growing ? h5::growing_list(layout) : h5::fixed_list(layout, size);
  Handle dataset{H5Dcreate2(file_.id(), name.c_str(), type, space.id(), links.id(), creation.id(),
                            H5P_DEFAULT),
                 H5Dclose};
  if (dataset.id() < 0) {
    throw data_error("cannot create dataset '{}' in {}: {}", name, quoted(path_),
                     reason_of_library());
  }
  datasets_[name] = std::move(dataset);
}

hid_t H5Writer::dataset(const std::string& name) const {
  const auto found = datasets_.find(name);
  if (found == datasets_.end()) throw internal_error("dataset '{}' was not created here", name);
  return found->second.id();
}

void H5Writer::write_range(const std::string& name, hid_t type, std::size_t offset,
                           std::size_t count, const void* values) {
  const hid_t target = dataset(name);
  const Handle in_file = select(target, offset, count);
  const Handle in_memory = line_space(count, count);
  if (H5Dwrite(target, type, in_memory.id(), in_file.id(), H5P_DEFAULT, values) < 0) {
    const std::string why = reason_of_library();
    throw data_error("cannot write dataset '{}' ({} bytes) to {}: {}", name,
                     count * H5Tget_size(type), quoted(path_), why);
  }
}

void H5Writer::flush() {
  if (H5Fflush(file_.id(), H5F_SCOPE_LOCAL) < 0) throw unfinished(reason_of_library());
}

void H5Writer::close() {
  std::string why;
  for (auto& [name, handle] : datasets_) {
    if (!handle.close() && why.empty()) why = reason_of_library();
  }
  datasets_.clear();
  if (file_.id() >= 0 && H5Fflush(file_.id(), H5F_SCOPE_LOCAL) < 0 && why.empty()) {
    why = reason_of_library();
  }
  if (!file_.close() && why.empty()) why = reason_of_library();
  if (!why.empty()) throw unfinished(why);
}

Error H5Writer::unfinished(const std::string& why) const {
  return data_error("cannot finish writing {} ({} on the disk so far): {}", quoted(path_),
                    human_bytes(bytes_on_disk(path_)), why);
}

template <class T>
void H5Writer::write(const std::string& dataset, std::span<const T> values, H5Layout layout) {
  create_dataset(dataset, native_type<T>(), values.size(), layout, values.size());
  write_range(dataset, native_type<T>(), 0, values.size(), values.data());
}

template <class T>
void H5Writer::reserve(const std::string& dataset, std::size_t size) {
  create_dataset(dataset, native_type<T>(), size, {}, size);
}

template <class T>
void H5Writer::write_at(const std::string& dataset, std::size_t offset, std::span<const T> values) {
  write_range(dataset, native_type<T>(), offset, values.size(), values.data());
}

template <class T>
void H5Writer::create_growing(const std::string& dataset, H5Layout layout) {
  if (layout.chunk == 0) throw internal_error("growing dataset '{}' needs chunks", dataset);
  create_dataset(dataset, native_type<T>(), 0, layout, H5S_UNLIMITED);
}

template <class T>
void H5Writer::append(const std::string& dataset, std::span<const T> values) {
  const hid_t target = this->dataset(dataset);
  const std::size_t old_size = extent(target);
  const hsize_t new_size = old_size + values.size();
  if (H5Dset_extent(target, &new_size) < 0) {
    throw data_error("cannot extend dataset '{}' of {} to {} elements: {}", dataset, quoted(path_),
                     new_size, reason_of_library());
  }
  write_range(dataset, native_type<T>(), old_size, values.size(), values.data());
}

#define BALLAST_H5_ELEMENT(T)                                                               \
  template void H5Writer::write<T>(const std::string&, std::span<const T>, H5Layout);       \
  template void H5Writer::reserve<T>(const std::string&, std::size_t);                      \
  template void H5Writer::write_at<T>(const std::string&, std::size_t, std::span<const T>); \
  template void H5Writer::create_growing<T>(const std::string&, H5Layout);                  \
  template void H5Writer::append<T>(const std::string&, std::span<const T>);
BALLAST_H5_EACH_ELEMENT(BALLAST_H5_ELEMENT)
#undef BALLAST_H5_ELEMENT

}  // namespace ballast::storage

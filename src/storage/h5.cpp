#include "storage/h5.hpp"

#include <algorithm>
#include <concepts>
#include <limits>
#include <new>
#include <stdexcept>
#include <sys/stat.h>
#include <system_error>

#include "base/error.hpp"
#include "base/text.hpp"
#include "storage/h5_error.hpp"
#include "storage/h5_header.hpp"

namespace ballast::storage {

namespace {

/// What all that is read whole may come to, beyond the size of the file.
constexpr std::uint64_t kWholeBytes = std::uint64_t{16} << 20;

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

/// Unless told otherwise the library prints its stack of errors, loads plug-ins from a path in the
/// environment, and at exit flushes files once more, which crashes where a write has failed before.
void set_up_library() {
  H5dont_atexit();
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  H5PLset_loading_state(0);
}

/// The library first makes a file as long as it is to be, so its length says nothing.
std::uint64_t bytes_on_disk(const std::filesystem::path& path) {
  constexpr std::uint64_t kBlock = 512;  // of st_blocks, whatever the file system's own is
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 ? static_cast<std::uint64_t>(status.st_blocks) * kBlock
                                            : 0;
}

H5Handle property_list(hid_t kind) {
  H5Handle list{H5Pcreate(kind), H5Pclose};
  if (list.id() < 0) throw internal_error("HDF5 made no property list: {}", h5_reason());
  return list;
}

/// Datasets are replaced in one step and never changed in place, so that readers need no lock;
/// writers do without where the file system has none.
H5Handle access_list(bool writing) {
  H5Handle list = property_list(H5P_FILE_ACCESS);
  H5Pset_fclose_degree(list.id(), H5F_CLOSE_STRONG);
#if H5_VERSION_GE(1, 10, 7)
  H5Pset_file_locking(list.id(), writing ? 1 : 0, 1);
#endif
  // As all versions write it by default up to now, and as require_sound_header reads it.
  if (writing) H5Pset_libver_bounds(list.id(), H5F_LIBVER_EARLIEST, H5F_LIBVER_LATEST);
  if (!writing) H5Pset_cache(list.id(), 0, 0, 0, 0.0);  // chunks are kept by ChunkCache
  return list;
}

herr_t refuse_link(const char*, const char*, const char*, const char*, unsigned*, hid_t, void*) {
  return -1;
}

/// Link access that does not leave the file.
H5Handle inside_only(hid_t kind) {
  H5Handle list = property_list(kind);
  H5Pset_elink_cb(list.id(), refuse_link, nullptr);
  return list;
}

H5Handle line_space(std::size_t size, hsize_t max_size) {
  const hsize_t current = size;
  H5Handle space{H5Screate_simple(1, &current, &max_size), H5Sclose};
  if (space.id() < 0) throw internal_error("HDF5 made no dataspace: {}", h5_reason());
  return space;
}

H5Handle creation_list(H5Layout layout, std::size_t size, bool growing) {
  H5Handle list = property_list(H5P_DATASET_CREATE);
  H5Pset_obj_track_times(list.id(), 0);  // equal contents make equal files
  const bool chunked = layout.chunk > 0 && (growing || size > 0);
  if (!chunked) {
    // Every element is written, so filling the file first would only write it twice.
    H5Pset_fill_time(list.id(), H5D_FILL_TIME_NEVER);
    return list;
  }
  const hsize_t chunk = growing ? layout.chunk : std::min(layout.chunk, size);
  H5Pset_chunk(list.id(), 1, &chunk);
  if (layout.deflate > 0) {
    H5Pset_shuffle(list.id());
    H5Pset_deflate(list.id(), static_cast<unsigned>(layout.deflate));
  }
  return list;
}

std::string quoted(const std::filesystem::path& path) { return fmt::format("'{}'", path.string()); }

/// Refuses what HDF5 would explain badly: nothing there, a folder, no permission, another format.
void require_hdf5(const std::filesystem::path& path) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (!std::filesystem::exists(status)) {
    if (error && error != std::errc::no_such_file_or_directory) {
      throw data_error("cannot open {}: {}", quoted(path), error.message());
    }
    throw data_error("{} does not exist", quoted(path));
  }
  if (std::filesystem::is_directory(status)) {
    throw data_error("{} is a folder, not an HDF5 file", quoted(path));
  }
  if (!std::filesystem::is_regular_file(status)) {
    throw data_error("{} is a pipe or a device, not an HDF5 file", quoted(path));
  }
  if (std::filesystem::file_size(path, error) == 0 && !error) {
    throw data_error("{} is empty, not an HDF5 file", quoted(path));
  }
  const htri_t answer = H5Fis_hdf5(path.c_str());
  if (answer < 0) throw data_error("cannot read {}: {}", quoted(path), h5_reason());
  if (answer == 0) throw data_error("{} is not an HDF5 file", quoted(path));
}

/// What StoredDataset and the check of headers count on: addresses of 8 bytes, from the file's
/// start.
void require_plain_addresses(hid_t file, const std::filesystem::path& path) {
  const H5Handle creation{H5Fget_create_plist(file), H5Pclose};
  hsize_t before = 1;
  std::size_t address = 0;
  std::size_t length = 0;
  H5Pget_userblock(creation.id(), &before);
  H5Pget_sizes(creation.id(), &address, &length);
  if (before != 0 || address != 8 || length != 8) {
    throw data_error("{} is HDF5, but laid out in another way than ballast writes it",
                     quoted(path));
  }
}

std::size_t extent(hid_t dataset) {
  const H5Handle space{H5Dget_space(dataset), H5Sclose};
  const hssize_t count = H5Sget_simple_extent_npoints(space.id());
  return count < 0 ? 0 : static_cast<std::size_t>(count);
}

/// Selects [offset, offset + count) of a dataset.
H5Handle select(hid_t dataset, std::size_t offset, std::size_t count) {
  H5Handle space{H5Dget_space(dataset), H5Sclose};
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

H5File H5File::create(const std::filesystem::path& path) {
  set_up_library();
  const H5Handle access = access_list(true);
  H5Handle file{H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, access.id()), H5Fclose};
  if (file.id() < 0) throw data_error("cannot write {}: {}", quoted(path), h5_reason());
  return H5File{path, std::move(file), 0};
}

H5File H5File::open(const std::filesystem::path& path) {
  set_up_library();
  require_hdf5(path);
  std::error_code error;
  const std::uint64_t bytes = std::filesystem::file_size(path, error);
  if (error) throw data_error("cannot open {}: {}", quoted(path), error.message());
  const H5Handle access = access_list(false);
  H5Handle file{H5Fopen(path.c_str(), H5F_ACC_RDONLY, access.id()), H5Fclose};
  if (file.id() < 0) {
    throw data_error("{} is truncated or damaged: {}", quoted(path), h5_reason());
  }
  require_plain_addresses(file.id(), path);
  return H5File{path, std::move(file), bytes};
}

void H5File::create_dataset(const std::string& name, hid_t type, std::size_t size, H5Layout layout,
                            hsize_t max_size) {
  const H5Handle links = property_list(H5P_LINK_CREATE);
  H5Pset_create_intermediate_group(links.id(), 1);
  const H5Handle space = line_space(size, max_size);
  const H5Handle creation = creation_list(layout, size, max_size == H5S_UNLIMITED);
  H5Handle dataset{H5Dcreate2(file_.id(), name.c_str(), type, space.id(), links.id(), creation.id(),
                              H5P_DEFAULT),
                   H5Dclose};
  if (dataset.id() < 0) {
    throw data_error("cannot create dataset '{}' in {}: {}", name, quoted(path_), h5_reason());
  }
  written_[name] = std::move(dataset);
}

hid_t H5File::dataset(const std::string& name) {
  const auto found = written_.find(name);
  if (found == written_.end()) throw internal_error("dataset '{}' was not created here", name);
  return found->second.id();
}

/// One that is being written is read back from here, too; what is of it on the disk so far.
std::uint64_t H5File::file_bytes() const {
  hsize_t bytes = bytes_;
  const bool is_known = written_.empty() || (H5Fflush(file_.id(), H5F_SCOPE_LOCAL) >= 0 &&
                                             H5Fget_filesize(file_.id(), &bytes) >= 0);
  if (!is_known) throw data_error("cannot tell the size of {}: {}", quoted(path_), h5_reason());
  return bytes;
}

StoredDataset& H5File::stored(const std::string& name) const {
  if (const auto found = stored_.find(name); found != stored_.end()) return found->second;
  if (!contains(name)) throw data_error("{} has no dataset '{}'", quoted(path_), name);
  const std::string where = fmt::format("dataset '{}' of {}", name, quoted(path_));
  const haddr_t header = address_of(name);
  with_context(where, [&] { require_sound_header(path_, header, file_bytes()); });
  const H5Handle access = inside_only(H5P_DATASET_ACCESS);
  H5Handle handle{H5Dopen2(file_.id(), name.c_str(), access.id()), H5Dclose};
  if (handle.id() < 0) {
    throw data_error("cannot open dataset '{}' of {}: {}", name, quoted(path_), h5_reason());
  }
  auto dataset = with_context(where, [&] {
    return StoredDataset{std::move(handle), file_bytes()};
  });
  return stored_.emplace(name, std::move(dataset)).first->second;
}

haddr_t H5File::address_of(const std::string& object) const {
  const H5Handle access = inside_only(H5P_LINK_ACCESS);
  haddr_t address = HADDR_UNDEF;
  for (std::size_t slash = 0; slash != std::string::npos;) {
    slash = object.find('/', slash + 1);
    H5L_info_t link{};
    const auto part = object.substr(0, slash);
    if (H5Lget_info(file_.id(), part.c_str(), &link, access.id()) < 0) {
      throw data_error("cannot read '{}' of {}: {}", part, quoted(path_), h5_reason());
    }
    if (link.type != H5L_TYPE_HARD) {
      throw data_error("'{}' of {} is a link to another place: refused", part, quoted(path_));
    }
    address = link.u.address;
  }
  return address;
}

void H5File::write_range(const std::string& name, hid_t type, std::size_t offset, std::size_t count,
                         const void* values) {
  const hid_t target = dataset(name);
  const H5Handle in_file = select(target, offset, count);
  const H5Handle in_memory = line_space(count, count);
  if (H5Dwrite(target, type, in_memory.id(), in_file.id(), H5P_DEFAULT, values) < 0) {
    const std::string why = h5_reason();
    throw data_error("cannot write dataset '{}' ({} bytes) to {}: {}", name,
                     count * H5Tget_size(type), quoted(path_), why);
  }
}

void H5File::read_range(const std::string& name, hid_t type, std::size_t offset, std::size_t count,
                        void* out) const {
  const StoredDataset& source = stored(name);
  if (offset > source.size() || count > source.size() - offset) {
    throw data_error("dataset '{}' of {} has {} elements: [{}, {}) is beyond its end", name,
                     quoted(path_), source.size(), offset, offset + count);
  }
  const auto where = [&] {
    return fmt::format("cannot read elements [{}, {}) of dataset '{}' of {}", offset,
                       offset + count, name, quoted(path_));
  };
  with_late_context(where, [&] { source.read(type, offset, count, out, chunks_); });
}

/// Each dataset counts once, however often it is read: callers keep one copy.
void H5File::charge_whole(const std::string& name, StoredDataset& dataset) const {
  if (dataset.is_counted()) return;
  if (dataset.bytes() > bytes_ + kWholeBytes - read_whole_) {
    throw data_error("dataset '{}' of {} claims {} elements, too many for a file of {}", name,
                     quoted(path_), dataset.size(), human_bytes(bytes_));
  }
  dataset.count_whole();
  read_whole_ += dataset.bytes();
}

bool H5File::contains(const std::string& object) const {
  const H5Handle access = inside_only(H5P_LINK_ACCESS);
  // The library answers for one link at a time; a missing folder on the way is an error to it.
  for (std::size_t slash = 0; slash != std::string::npos;) {
    slash = object.find('/', slash + 1);
    if (H5Lexists(file_.id(), object.substr(0, slash).c_str(), access.id()) <= 0) return false;
  }
  return true;
}

std::size_t H5File::size(const std::string& name) const { return stored(name).size(); }

std::size_t H5File::element_size(const std::string& name) const {
  return stored(name).element_bytes();
}

void H5File::close() {
  std::string why;
  for (auto& [name, handle] : written_) {
    if (!handle.close() && why.empty()) why = h5_reason();
  }
  written_.clear();
  stored_.clear();
  if (file_.id() >= 0 && H5Fflush(file_.id(), H5F_SCOPE_LOCAL) < 0 && why.empty()) {
    why = h5_reason();
  }
  if (!file_.close() && why.empty()) why = h5_reason();
  if (why.empty()) return;
  throw data_error("cannot finish writing {} ({} on the disk so far): {}", quoted(path_),
                   human_bytes(bytes_on_disk(path_)), why);
}

template <class T>
void H5File::write(const std::string& dataset, std::span<const T> values, H5Layout layout) {
  create_dataset(dataset, native_type<T>(), values.size(), layout, values.size());
  write_range(dataset, native_type<T>(), 0, values.size(), values.data());
}

template <class T>
void H5File::reserve(const std::string& dataset, std::size_t size) {
  create_dataset(dataset, native_type<T>(), size, {}, size);
}

template <class T>
void H5File::write_at(const std::string& dataset, std::size_t offset, std::span<const T> values) {
  write_range(dataset, native_type<T>(), offset, values.size(), values.data());
}

template <class T>
void H5File::create_growing(const std::string& dataset, H5Layout layout) {
  if (layout.chunk == 0) throw internal_error("growing dataset '{}' needs chunks", dataset);
  create_dataset(dataset, native_type<T>(), 0, layout, H5S_UNLIMITED);
}

template <class T>
void H5File::append(const std::string& dataset, std::span<const T> values) {
  const hid_t target = this->dataset(dataset);
  const std::size_t old_size = extent(target);
  const hsize_t new_size = old_size + values.size();
  if (H5Dset_extent(target, &new_size) < 0) {
    throw data_error("cannot extend dataset '{}' of {} to {} elements: {}", dataset, quoted(path_),
                     new_size, h5_reason());
  }
  write_range(dataset, native_type<T>(), old_size, values.size(), values.data());
}

template <class T>
void H5File::read(const std::string& dataset, std::size_t offset, std::span<T> out) const {
  read_range(dataset, native_type<T>(), offset, out.size(), out.data());
}

template <class T>
std::vector<T> H5File::read_all(const std::string& dataset) const {
  StoredDataset& source = stored(dataset);
  charge_whole(dataset, source);
  std::vector<T> values(source.size());
  read<T>(dataset, 0, values);
  return values;
}

#define BALLAST_H5_ELEMENT(T)                                                             \
  template void H5File::write<T>(const std::string&, std::span<const T>, H5Layout);       \
  template void H5File::reserve<T>(const std::string&, std::size_t);                      \
  template void H5File::write_at<T>(const std::string&, std::size_t, std::span<const T>); \
  template void H5File::create_growing<T>(const std::string&, H5Layout);                  \
  template void H5File::append<T>(const std::string&, std::span<const T>);                \
  template void H5File::read<T>(const std::string&, std::size_t, std::span<T>) const;     \
  template std::vector<T> H5File::read_all<T>(const std::string&) const;
BALLAST_H5_ELEMENT(std::uint8_t)
BALLAST_H5_ELEMENT(std::uint16_t)
BALLAST_H5_ELEMENT(std::uint32_t)
BALLAST_H5_ELEMENT(std::uint64_t)
BALLAST_H5_ELEMENT(std::int32_t)
BALLAST_H5_ELEMENT(std::int64_t)
BALLAST_H5_ELEMENT(float)
BALLAST_H5_ELEMENT(double)
#undef BALLAST_H5_ELEMENT

}  // namespace ballast::storage

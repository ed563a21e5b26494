#include "storage/h5_stored.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <span>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/text.hpp"
#include "storage/h5_error.hpp"

namespace ballast::storage {

namespace {

/// Bytes that one byte of a deflated text stands for at most.
constexpr std::uint64_t kMostInflation = 1032;
/// An entry of a chunk's index takes at least as much of the file.
constexpr std::uint64_t kIndexEntryBytes = 8;
/// Chunks that make up more than one have at least so many bytes: each costs a search and a read.
constexpr std::size_t kSmallestChunk = 256;

/// Converts so many elements at a time.
constexpr std::size_t kConverted = std::size_t{64} << 10;

std::array<hid_t, 20> plain_types() {
  return {H5T_STD_U8LE,  H5T_STD_U8BE,   H5T_STD_U16LE,  H5T_STD_U16BE,  H5T_STD_U32LE,
          H5T_STD_U32BE, H5T_STD_U64LE,  H5T_STD_U64BE,  H5T_STD_I8LE,   H5T_STD_I8BE,
          H5T_STD_I16LE, H5T_STD_I16BE,  H5T_STD_I32LE,  H5T_STD_I32BE,  H5T_STD_I64LE,
          H5T_STD_I64BE, H5T_IEEE_F32LE, H5T_IEEE_F32BE, H5T_IEEE_F64LE, H5T_IEEE_F64BE};
}

std::size_t line_size(hid_t dataset) {
  const H5Handle space{H5Dget_space(dataset), H5Sclose};
  if (H5Sget_simple_extent_ndims(space.id()) != 1) throw data_error("it is not one-dimensional");
  const hssize_t count = H5Sget_simple_extent_npoints(space.id());
  if (count < 0) throw data_error("{}", h5_reason());
  return static_cast<std::size_t>(count);
}

/// Converts `count` elements of `data`, which lie at its beginning, and writes them to `out`.
void convert(hid_t from, hid_t to, std::size_t count, std::span<std::uint8_t> data,
             std::uint8_t* out) {
  if (H5Tconvert(from, to, count, data.data(), nullptr, H5P_DEFAULT) < 0) {
    throw data_error("{}", h5_reason());
  }
  std::memcpy(out, data.data(), count * H5Tget_size(to));
}

}  // namespace

StoredDataset::StoredDataset(H5Handle dataset, std::uint64_t file_bytes)
    : dataset_{std::move(dataset)}, type_{H5Dget_type(dataset_.id()), H5Tclose} {
  require_plain_type();
  element_bytes_ = H5Tget_size(type_.id());
  size_ = line_size(dataset_.id());
  if (size_ > kMostInflation * file_bytes / element_bytes_) {
    throw data_error("it claims {} elements, more than a file of {} can hold", size_,
                     human_bytes(file_bytes));
  }
  const H5Handle creation{H5Dget_create_plist(dataset_.id()), H5Pclose};
  require_plain_layout(creation.id(), file_bytes);
}

void StoredDataset::require_plain_type() const {
  const auto types = plain_types();
  const bool is_plain =
      std::ranges::any_of(types, [&](hid_t plain) { return H5Tequal(type_.id(), plain) > 0; });
  if (!is_plain) throw data_error("its elements are no plain integers or floating-point numbers");
}

void StoredDataset::require_plain_layout(hid_t creation, std::uint64_t file_bytes) {
  if (H5Pget_external_count(creation) > 0) {
    throw data_error("it keeps its elements in other files: refused");
  }
  switch (H5Pget_layout(creation)) {
    case H5D_COMPACT:
      if (H5Dget_storage_size(dataset_.id()) != bytes()) {
        throw data_error("its header holds another number of elements than {}", size_);
      }
      return;
    case H5D_CONTIGUOUS:
      return require_in_file(file_bytes);
    case H5D_CHUNKED: {
      chunks_.emplace(creation, element_bytes_);
      const std::uint64_t chunk = chunks_->elements();
      const std::uint64_t count = size_ / chunk + (size_ % chunk != 0 ? 1 : 0);
      if (count > 1 && chunk * element_bytes_ < kSmallestChunk) {
        throw data_error("it lies in chunks of {} bytes: too small", chunk * element_bytes_);
      }
      if (count > file_bytes / kIndexEntryBytes) {
        throw data_error("it claims {} elements, more than a file of {} can hold", size_,
                         human_bytes(file_bytes));
      }
      return;
    }
    default:
      throw data_error("it keeps its elements in other files: refused");
  }
}

void StoredDataset::require_in_file(std::uint64_t file_bytes) const {
  if (size_ == 0) return;
  const haddr_t start = H5Dget_offset(dataset_.id());
  const bool is_inside = start != HADDR_UNDEF && start <= file_bytes &&
                         bytes() <= file_bytes - start &&
                         H5Dget_storage_size(dataset_.id()) == bytes();
  if (!is_inside) {
    throw data_error("it claims {} elements, which are not in the file of {}", size_,
                     human_bytes(file_bytes));
  }
}

void StoredDataset::read(hid_t type, std::size_t offset, std::size_t count, void* out,
                         ChunkCache& cache) const {
  if (H5Tget_class(type_.id()) != H5Tget_class(type)) {
    throw data_error("it holds another kind of element than {} numbers",
                     H5Tget_class(type) == H5T_FLOAT ? "floating-point" : "integer");
  }
  if (chunks_) {
    read_chunks(type, offset, count, static_cast<std::uint8_t*>(out), cache);
  } else if (count > 0) {
    read_plain(type, offset, count, out);
  }
}

void StoredDataset::read_plain(hid_t type, std::size_t offset, std::size_t count, void* out) const {
  const H5Handle in_file{H5Dget_space(dataset_.id()), H5Sclose};
  const hsize_t start = offset;
  const hsize_t length = count;
  H5Sselect_hyperslab(in_file.id(), H5S_SELECT_SET, &start, nullptr, &length, nullptr);
  const H5Handle in_memory{H5Screate_simple(1, &length, nullptr), H5Sclose};
  if (H5Dread(dataset_.id(), type, in_memory.id(), in_file.id(), H5P_DEFAULT, out) < 0) {
    throw data_error("{}", h5_reason());
  }
}

void StoredDataset::read_chunks(hid_t type, std::size_t offset, std::size_t count,
                                std::uint8_t* out, ChunkCache& cache) const {
  const std::size_t wide = std::max(element_bytes_, H5Tget_size(type));
  const std::size_t per_chunk = chunks_->elements();
  const auto converted = cache.room(std::min({count, per_chunk, kConverted}) * wide);
  for (std::size_t done = 0; done < count;) {
    const std::size_t at = offset + done;
    const ChunkCache::Key key{dataset_.id(), at / per_chunk};
    const auto* chunk = cache.find(key);
    if (chunk == nullptr) chunk = &cache.keep(key, chunks_->read(dataset_.id(), key.second));
    const std::size_t first = at % per_chunk;
    const std::size_t part = std::min({count - done, per_chunk - first, kConverted});
    std::memcpy(converted.data(), chunk->data() + first * element_bytes_, part * element_bytes_);
    convert(type_.id(), type, part, converted, out + done * H5Tget_size(type));
    done += part;
  }
}

}  // namespace ballast::storage

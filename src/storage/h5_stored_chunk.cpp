#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/error.hpp"
#include "storage/h5.hpp"

namespace ballast::storage {

namespace {

std::string describe_type(hid_t type) {
  const bool is_real = H5Tget_class(type) == H5T_FLOAT;
  const char* const kind = is_real                             ? "float"
                           : H5Tget_class(type) != H5T_INTEGER ? "other"
                           : H5Tget_sign(type) == H5T_SGN_NONE ? "uint"
                                                               : "int";
  const char* const order = H5Tget_order(type) == H5T_ORDER_LE ? "little" : "big";
  return fmt::format("{}{} {}-endian", kind, 8 * H5Tget_size(type), order);
}

/// "filter 2 (2)": its number in HDF5's registry and its parameters.
std::string describe_filter(hid_t creation, unsigned index) {
  std::array<unsigned, 16> parameters{};
  std::size_t count = parameters.size();
  unsigned flags = 0;
  unsigned config = 0;
  const H5Z_filter_t filter =
      H5Pget_filter2(creation, index, &flags, &count, parameters.data(), 0, nullptr, &config);
  const auto* const begin = parameters.data();
  return fmt::format(", filter {} ({})", filter,
                     fmt::join(begin, begin + std::min(count, parameters.size()), " "));
}

}  // namespace

std::string H5File::storage(const std::string& name) const {
  const hid_t source = stored(name).id();
  const H5Handle type{H5Dget_type(source), H5Tclose};
  const H5Handle creation{H5Dget_create_plist(source), H5Pclose};
  std::string text = describe_type(type.id());
  if (H5Pget_layout(creation.id()) != H5D_CHUNKED) return text + ", in one piece";
  hsize_t chunk = 0;
  H5Pget_chunk(creation.id(), 1, &chunk);
  text += fmt::format(", chunks of {}", chunk);
  const int filters = H5Pget_nfilters(creation.id());
  for (int i = 0; i < filters; ++i) {
    text += describe_filter(creation.id(), static_cast<unsigned>(i));
  }
  return text;
}

void H5File::read_stored_chunk(const std::string& name, std::size_t first, StoredChunk& out) const {
  const hid_t source = stored(name).id();
  const hsize_t offset = first;
  hsize_t bytes = 0;
  hsize_t file_bytes = 0;
  const bool is_there = H5Dget_chunk_storage_size(source, &offset, &bytes) >= 0 && bytes > 0 &&
                        H5Fget_filesize(file_.id(), &file_bytes) >= 0 && bytes <= file_bytes;
  if (is_there) {
    out.bytes.resize(bytes);
    if (H5Dread_chunk(source, H5P_DEFAULT, &offset, &out.filter_mask, out.bytes.data()) >= 0) {
      return;
    }
  }
  throw data_error("cannot read the chunk at element {} of dataset '{}' of '{}': it is {}", first,
                   name, path_.string(), is_there ? "unreadable" : "not there");
}

}  // namespace ballast::storage

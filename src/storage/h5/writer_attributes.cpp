#include "base/error.hpp"
#include "storage/h5/writer.hpp"

namespace ballast::storage {

namespace {

using h5::Handle;

/// Text type of a fixed length, as HDF5 tools show it; an empty text takes one NUL.
Handle text_type(std::size_t size) {
  Handle type{H5Tcopy(H5T_C_S1), H5Tclose};
  H5Tset_size(type.id(), size == 0 ? 1 : size);
  H5Tset_strpad(type.id(), H5T_STR_NULLPAD);
  H5Tset_cset(type.id(), H5T_CSET_UTF8);
  return type;
}

}  // namespace

void H5Writer::set_attribute(const std::string& name, hid_t type, const void* value) {
  if (H5Aexists(file_.id(), name.c_str()) > 0) H5Adelete(file_.id(), name.c_str());
  const Handle space{H5Screate(H5S_SCALAR), H5Sclose};
  Handle attribute{H5Acreate2(file_.id(), name.c_str(), type, space.id(), H5P_DEFAULT, H5P_DEFAULT),
                   H5Aclose};
  if (attribute.id() < 0 || H5Awrite(attribute.id(), type, value) < 0 || !attribute.close()) {
    throw data_error("cannot write attribute '{}' ({} bytes) to '{}'", name, H5Tget_size(type),
                     path_.string());
  }
}

void H5Writer::set_attribute(const std::string& name, std::string_view text) {
  const Handle type = text_type(text.size());
  set_attribute(name, type.id(), text.empty() ? "" : text.data());
}

void H5Writer::set_attribute(const std::string& name, std::uint64_t number) {
  set_attribute(name, H5T_NATIVE_UINT64, &number);
}

std::string hdf5_version() {
  unsigned major = 0;
  unsigned minor = 0;
  unsigned release = 0;
  if (H5get_libversion(&major, &minor, &release) < 0) return "unknown";
  return fmt::format("{}.{}.{}", major, minor, release);
}

}  // namespace ballast::storage

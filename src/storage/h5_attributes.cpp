#include "base/error.hpp"
#include "base/text.hpp"
#include "storage/h5.hpp"

namespace ballast::storage {

namespace {

H5Handle open_attribute(hid_t file, const std::filesystem::path& path, const std::string& name) {
  H5Handle attribute{H5Aopen(file, name.c_str(), H5P_DEFAULT), H5Aclose};
  if (attribute.id() < 0) {
    throw data_error("'{}' has no attribute '{}'", path.string(), name);
  }
  return attribute;
}

/// HDF5 keeps attributes in an object's header, where larger ones find no room.
constexpr std::size_t kLongestText = std::size_t{64} << 10;

/// Refuses arrays and other kinds, which H5Aread would write past the destination.
H5Handle scalar_type(const H5Handle& attribute, H5T_class_t wanted,
                     const std::filesystem::path& path, const std::string& name) {
  H5Handle type{H5Aget_type(attribute.id()), H5Tclose};
  const H5Handle space{H5Aget_space(attribute.id()), H5Sclose};
  if (H5Tget_class(type.id()) != wanted || H5Sget_simple_extent_npoints(space.id()) != 1) {
    throw data_error("attribute '{}' of '{}' is not {}", name, path.string(),
                     wanted == H5T_STRING ? "a text" : "an integer");
  }
  return type;
}

/// Text type of a fixed length, as HDF5 tools show it; an empty text takes one NUL.
H5Handle text_type(std::size_t size) {
  H5Handle type{H5Tcopy(H5T_C_S1), H5Tclose};
  H5Tset_size(type.id(), size == 0 ? 1 : size);
  H5Tset_strpad(type.id(), H5T_STR_NULLPAD);
  H5Tset_cset(type.id(), H5T_CSET_UTF8);
  return type;
}

}  // namespace

void H5File::set_attribute(const std::string& name, hid_t type, const void* value) {
  if (has_attribute(name)) H5Adelete(file_.id(), name.c_str());
  const H5Handle space{H5Screate(H5S_SCALAR), H5Sclose};
  H5Handle attribute{
      H5Acreate2(file_.id(), name.c_str(), type, space.id(), H5P_DEFAULT, H5P_DEFAULT), H5Aclose};
  if (attribute.id() < 0 || H5Awrite(attribute.id(), type, value) < 0 || !attribute.close()) {
    throw data_error("cannot write attribute '{}' ({} bytes) to '{}'", name, H5Tget_size(type),
                     path_.string());
  }
}

void H5File::set_attribute(const std::string& name, std::string_view text) {
  const H5Handle type = text_type(text.size());
  set_attribute(name, type.id(), text.empty() ? "" : text.data());
}

void H5File::set_attribute(const std::string& name, std::uint64_t number) {
  set_attribute(name, H5T_NATIVE_UINT64, &number);
}

bool H5File::has_attribute(const std::string& name) const {
  return H5Aexists(file_.id(), name.c_str()) > 0;
}

std::string H5File::text_attribute(const std::string& name) const {
  const H5Handle attribute = open_attribute(file_.id(), path_, name);
  const H5Handle type = scalar_type(attribute, H5T_STRING, path_, name);
  const auto failed = [&] {
    return data_error("cannot read attribute '{}' of '{}'", name, path_.string());
  };
  // The length of such a text stands in two places of the file, and HDF5 copies by the one into
  // room that it took by the other.
  if (H5Tis_variable_str(type.id()) != 0) {
    throw data_error(
        "attribute '{}' of '{}' is a text of variable length: write it with a fixed one", name,
        path_.string());
  }
  if (H5Tget_size(type.id()) > kLongestText) {
    throw data_error("attribute '{}' of '{}' is longer than {}", name, path_.string(),
                     human_bytes(kLongestText));
  }
  std::string text(H5Tget_size(type.id()), '\0');
  if (H5Aread(attribute.id(), type.id(), text.data()) < 0) throw failed();
  text.resize(text.find('\0') == std::string::npos ? text.size() : text.find('\0'));
  return text;
}

std::uint64_t H5File::number_attribute(const std::string& name) const {
  const H5Handle attribute = open_attribute(file_.id(), path_, name);
  const H5Handle type = scalar_type(attribute, H5T_INTEGER, path_, name);
  std::uint64_t number = 0;
  if (H5Aread(attribute.id(), H5T_NATIVE_UINT64, &number) < 0) {
    throw data_error("cannot read attribute '{}' of '{}'", name, path_.string());
  }
  return number;
}

std::string hdf5_version() {
  unsigned major = 0;
  unsigned minor = 0;
  unsigned release = 0;
  if (H5get_libversion(&major, &minor, &release) < 0) return "unknown";
  return fmt::format("{}.{}.{}", major, minor, release);
}

}  // namespace ballast::storage

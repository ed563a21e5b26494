#include "storage/h5/writer_lists.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "storage/h5/writer_reason.hpp"

namespace ballast::storage::h5 {

namespace {

Handle creation_list() {
  Handle list = property_list(H5P_DATASET_CREATE);
  H5Pset_obj_track_times(list.id(), 0);  // equal contents make equal files
  return list;
}

Handle chunked_list(hsize_t chunk, int deflate) {
  Handle list = creation_list();
  H5Pset_chunk(list.id(), 1, &chunk);
  if (deflate > 0) {
    H5Pset_shuffle(list.id());
    H5Pset_deflate(list.id(), static_cast<unsigned>(deflate));
  }
  return list;
}

}  // namespace

// Unless told otherwise the library prints its stack of errors, loads plug-ins from a path in the
// environment, and at exit flushes files once more, which crashes where a write has failed before.
void set_up_library() {
  H5dont_atexit();
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  H5PLset_loading_state(0);
}

Handle property_list(hid_t kind) {
  Handle list{H5Pcreate(kind), H5Pclose};
  if (list.id() < 0) throw internal_error("HDF5 made no property list: {}", reason_of_library());
  return list;
}

// Files are replaced in one step and never changed in place, so that a lock guards nothing; it is
// done without where the file system has none.
Handle access_list() {
  Handle list = property_list(H5P_FILE_ACCESS);
  H5Pset_fclose_degree(list.id(), H5F_CLOSE_STRONG);
#if H5_VERSION_GE(1, 10, 7)
  H5Pset_file_locking(list.id(), 1, 1);
#endif
  // As all versions write it by default up to now, and as H5Reader reads it.
  H5Pset_libver_bounds(list.id(), H5F_LIBVER_EARLIEST, H5F_LIBVER_LATEST);
  return list;
}

Handle growing_list(H5Layout layout) { return chunked_list(layout.chunk, layout.deflate); }

Handle fixed_list(H5Layout layout, std::size_t size) {
  if (layout.chunk > 0 && size > 0) {
    return chunked_list(std::min(layout.chunk, size), layout.deflate);
  }
  Handle list = creation_list();
  // Every element is written, so filling the file first would only write it twice.
  H5Pset_fill_time(list.id(), H5D_FILL_TIME_NEVER);
  return list;
}

}  // namespace ballast::storage::h5

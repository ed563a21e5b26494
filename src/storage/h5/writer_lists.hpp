#pragma once

#include <cstddef>
#include <hdf5.h>

#include "storage/h5/layout.hpp"
#include "storage/h5/writer_handle.hpp"

namespace ballast::storage::h5 {

/// To be called before the first call of HDF5 and before calls that may follow a failed one: HDF5
/// then prints no errors, loads no plug-ins, and does nothing at the process's end.
void set_up_library();

/// HDF5's property lists; an internal Error if it makes none. `kind`: H5P_FILE_ACCESS and the like.
[[nodiscard]] Handle property_list(hid_t kind);

/// How files are opened for writing.
[[nodiscard]] Handle access_list();

/// How datasets are created: of `size` elements, or such that grow from none.
[[nodiscard]] Handle fixed_list(H5Layout layout, std::size_t size);
[[nodiscard]] Handle growing_list(H5Layout layout);

}  // namespace ballast::storage::h5

#pragma once

#include <cstddef>

#include "storage/h5/writer.hpp"

namespace ballast::storage::h5 {

/// Before the first call of HDF5 and before any that may follow a failed one: errors are told by
/// us, no plug-ins are loaded, and nothing is left to do at the process's end.
void set_up_library();

/// HDF5's property lists; an internal Error if it makes none. `kind`: H5P_FILE_ACCESS and the like.
[[nodiscard]] Handle property_list(hid_t kind);

/// How files are opened for writing.
[[nodiscard]] Handle access_list();

/// How datasets are created: of `size` elements, or such that grow from none.
[[nodiscard]] Handle fixed_list(H5Layout layout, std::size_t size);
[[nodiscard]] Handle growing_list(H5Layout layout);

}  // namespace ballast::storage::h5

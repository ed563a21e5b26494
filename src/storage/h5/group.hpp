#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "storage/h5/object_header.hpp"

namespace ballast::storage::h5 {

/// The address of the header of a group's member; nothing where there is none, or where `group` is
/// the header of no group. Names are looked up in a symbol table: a B-tree of version 1, symbol
/// nodes and a local heap; HDF5 File Format Specification Version 3.0 (The HDF Group), sections
/// III.A.1, III.B, III.C and III.D. A data Error, without the name, if what lies on the way is
/// damaged, if the group is kept in another way, or if the member is a link to another place.
[[nodiscard]] std::optional<std::uint64_t> find_member(const ByteSource& source,
                                                       const ObjectHeader& group,
                                                       std::string_view name);

}  // namespace ballast::storage::h5

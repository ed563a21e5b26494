#pragma once

#include <span>
#include <string>

#include "base/hash.hpp"
#include "storage/h5/reader.hpp"

namespace ballast::data {

/// A dataset of the file as its header describes it.
struct HeaderPart {
  std::string name;
  Hash128 hash;  ///< of its values, or of its BlockTable if it has one
};

/// The description of a dataset file of format 2: one line for each attribute and each part. It is
/// stored when the file is written and made again when it is opened: a line that differs names the
/// part that was damaged, or changed by another program.
[[nodiscard]] std::string describe_header(const storage::H5Reader& file,
                                          std::span<const HeaderPart> parts);

/// A data Error that names the first line in which `found` differs from what was `written`.
void require_same_header(const storage::H5Reader& file, const std::string& written,
                         const std::string& found);

}  // namespace ballast::data

#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/option.hpp"

namespace ballast::cli {

/// A key and the value that someone gave it.
struct Assignment {
  std::string name;  ///< empty: an argument that belongs to no option
  std::string value;
  std::string where;  ///< "FILE:LINE", or empty for the command line
};

/// Carries out assignments of one source in order. Usage Errors name an unknown key with the
/// nearest one there is, a key that comes twice, and a value that is not allowed with what is.
void assign(std::span<const Assignment> assignments, std::span<const Option> options);

/// A usage Error that names a required option without a value.
void require(std::span<const Option> options);

}  // namespace ballast::cli

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

/// Carries out the assignments of one source in order. Usage Errors name an unknown key and the
/// nearest known one, a key that is given twice, or a value that is not allowed and what is.
void assign(std::span<const Assignment> assignments, std::span<const Option> options);

/// Throws a usage Error that names a required option without a value.
void require(std::span<const Option> options);

}  // namespace ballast::cli

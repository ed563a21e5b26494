#include "base/option.hpp"

namespace ballast {

std::string section_of(const Option& option) {
  const auto dot = option.name.find('.');
  return dot == std::string::npos ? std::string{} : option.name.substr(0, dot);
}

std::string key_of(const Option& option) { return option.name.substr(option.name.find('.') + 1); }

}  // namespace ballast

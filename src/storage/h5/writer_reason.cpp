#include "storage/h5/writer_reason.hpp"

#include <hdf5.h>
#include <string_view>

#include "base/text.hpp"

namespace ballast::storage::h5 {

namespace {

constexpr std::size_t kLongest = 400;

herr_t keep_first_description(unsigned depth, const H5E_error2_t* error, void* text) {
  if (depth == 0 && error->desc != nullptr) *static_cast<std::string*>(text) = error->desc;
  return 0;
}

}  // namespace

std::string reason_of_library() {
  std::string text;
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, keep_first_description, &text);
  static constexpr std::string_view kSystem = "error message = '";
  const auto begin = text.find(kSystem);
  if (begin == std::string::npos) {
    return text.empty() ? "HDF5 gave no reason" : excerpt(text, kLongest);
  }
  const auto words = text.substr(begin + kSystem.size());
  return words.substr(0, words.find('\''));
}

}  // namespace ballast::storage::h5

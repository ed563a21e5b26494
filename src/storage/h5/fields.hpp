#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "storage/h5/errors.hpp"

namespace ballast::storage::h5 {

using Bytes = std::span<const std::uint8_t>;

/// The value that HDF5 writes where there is no address.
inline constexpr std::uint64_t kNowhere = ~std::uint64_t{0};

/// Takes the fields of a part of an HDF5 file off its front, one after the other; numbers have
/// their lowest byte first. A data Error where the part ends before the field does.
class Fields {
 public:
  explicit Fields(Bytes bytes) : bytes_{bytes} {}

  [[nodiscard]] std::size_t left() const { return bytes_.size(); }

  Bytes take(std::uint64_t count) {
    if (count > bytes_.size()) throw damaged("a part of it ends too early");
    const Bytes taken = bytes_.first(count);
    bytes_ = bytes_.subspan(count);
    return taken;
  }
  void skip(std::uint64_t count) { (void)take(count); }

  /// A number of 1 to 8 bytes.
  std::uint64_t number(std::size_t bytes) {
    std::uint64_t value = 0;
    std::size_t place = 0;
    for (const std::uint8_t byte : take(bytes)) value |= std::uint64_t{byte} << (8 * place++);
    return value;
  }
  std::uint8_t u8() { return static_cast<std::uint8_t>(number(1)); }
  std::uint16_t u16() { return static_cast<std::uint16_t>(number(2)); }
  std::uint32_t u32() { return static_cast<std::uint32_t>(number(4)); }
  std::uint64_t u64() { return number(8); }

  /// The four letters that a part begins with.
  void expect(std::string_view signature) {
    const Bytes found = take(signature.size());
    const auto same = [](char wanted, std::uint8_t is) {
      return static_cast<std::uint8_t>(wanted) == is;
    };
    if (!std::ranges::equal(signature, found, same)) {
      throw damaged(fmt::format("there is no '{}' where one should be", signature));
    }
  }

 private:
  Bytes bytes_;
};

}  // namespace ballast::storage::h5

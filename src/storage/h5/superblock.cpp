#include "storage/h5/superblock.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "storage/h5/fields.hpp"

namespace ballast::storage::h5 {

namespace {

using namespace std::string_view_literals;

constexpr std::string_view kSignature = "\x89HDF\r\n\x1a\n"sv;
constexpr std::size_t kSuperblockBytes = 96;
/// Where a signature may stand behind a block of a user's: here, at twice that, and so on.
constexpr std::uint64_t kFirstUserBlock = 512;

bool has_signature(const ByteSource& source, std::uint64_t at) {
  if (!source.contains(at, kSignature.size())) return false;
  std::array<std::uint8_t, kSignature.size()> bytes{};
  source.read(at, bytes);
  return std::ranges::equal(bytes, kSignature, {}, {},
                            [](char letter) { return static_cast<std::uint8_t>(letter); });
}

bool has_later_signature(const ByteSource& source) {
  std::uint64_t at = kFirstUserBlock;
  while (at < source.size() && !has_signature(source, at)) at *= 2;
  return at < source.size();
}

void require_signature(const ByteSource& source) {
  if (has_signature(source, 0)) return;
  const auto name = source.path().string();
  if (!has_later_signature(source)) throw data_error("'{}' is not an HDF5 file", name);
  throw data_error("'{}' is HDF5, but {}", name,
                   other_layout("it begins with a user's block").what());
}

/// Takes what stands before the addresses.
void require_plain_sizes(Fields& fields) {
  constexpr std::size_t kOtherVersions = 4;  // of its parts, and a byte that is reserved
  const auto version = fields.u8();
  if (version != 0) {
    throw other_layout(fmt::format("its superblock is of HDF5's version {}, not 0", version));
  }
  fields.skip(kOtherVersions);
  const auto address_bytes = fields.u8();
  const auto length_bytes = fields.u8();
  if (address_bytes != 8 || length_bytes != 8) {
    throw other_layout(fmt::format("its addresses have {} bytes, its lengths {}; 8 are read",
                                   address_bytes, length_bytes));
  }
  fields.skip(1);
  const std::size_t symbols = std::size_t{2} * fields.u16();
  const std::size_t groups = std::size_t{2} * fields.u16();
  if (symbols != kSymbolEntries || groups != kGroupEntries) {
    throw other_layout(fmt::format("its groups have nodes of {} and {} entries, not {} and {}",
                                   symbols, groups, kSymbolEntries, kGroupEntries));
  }
  fields.skip(4);  // flags that no reader needs
}

/// The address of the root group, and of the file's end.
struct Addresses {
  std::uint64_t root;
  std::uint64_t end;
};

Addresses parse(Fields fields) {
  fields.skip(kSignature.size());
  require_plain_sizes(fields);
  if (fields.u64() != 0) throw other_layout("its addresses do not begin at the file's start");
  fields.skip(8);  // free space
  const std::uint64_t end = fields.u64();
  if (fields.u64() != kNowhere) throw other_layout("it names a driver to be read with");
  fields.skip(8);  // the root group's name
  return {fields.u64(), end};
}

}  // namespace

Superblock read_superblock(const ByteSource& source) {
  const std::string name = source.path().string();
  require_signature(source);
  if (source.size() < kSuperblockBytes) {
    throw data_error("'{}' is truncated or damaged: it has {} bytes", name, source.size());
  }
  const auto bytes = source.read(0, kSuperblockBytes);
  try {
    const auto [root, end] = parse(Fields{bytes});
    if (end <= source.size()) return {root};
    throw data_error("truncated or damaged: it has {} bytes of {}", source.size(), end);
  } catch (const Error& error) {
    throw Error{error.code(), fmt::format("'{}' is HDF5, but {}", name, error.what())};
  }
}

}  // namespace ballast::storage::h5

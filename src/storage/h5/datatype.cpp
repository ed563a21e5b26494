#include "storage/h5/datatype.hpp"

#include <algorithm>
#include <array>

namespace ballast::storage::h5 {

namespace {

constexpr std::uint8_t kTextClass = 3;
constexpr std::uint8_t kVariableClass = 9;
constexpr std::size_t kLongestNumber = 20;

/// One of the numbers that are read, with its datatype message to the last bit: whatever else HDF5
/// can say of a number (its sign's place, unused bits, another order of bytes) is another number.
struct Plain {
  ElementType type;
  std::size_t bytes;
  const char* name;
  std::size_t message_bytes;
  std::array<std::uint8_t, kLongestNumber> message;
};

constexpr std::uint8_t kUnsigned = 0;
constexpr std::uint8_t kSigned = 8;

/// Version and class, three bytes of flags, size, place of the first bit, number of bits.
constexpr Plain integer(ElementType type, std::uint8_t bytes, std::uint8_t sign, const char* name) {
  const auto bits = static_cast<std::uint8_t>(8 * bytes);
  return {type, bytes, name, 12, {0x10, sign, 0, 0, bytes, 0, 0, 0, 0, 0, bits, 0}};
}

constexpr std::array kPlain{
    integer(ElementType::u8, 1, kUnsigned, "uint8"),
    integer(ElementType::u16, 2, kUnsigned, "uint16"),
    integer(ElementType::u32, 4, kUnsigned, "uint32"),
    integer(ElementType::u64, 8, kUnsigned, "uint64"),
    integer(ElementType::i8, 1, kSigned, "int8"),
    integer(ElementType::i16, 2, kSigned, "int16"),
    integer(ElementType::i32, 4, kSigned, "int32"),
    integer(ElementType::i64, 8, kSigned, "int64"),
    // Flags: the leading one of the mantissa is not stored; the sign's place. Then size, first bit,
    // number of bits, place and size of exponent and mantissa, bias of the exponent.
    Plain{ElementType::f32, 4, "float32", 20, {0x11, 0x20, 31, 0, 4, 0,  0,   0, 0, 0,
                                               32,   0,    23, 8, 0, 23, 127, 0, 0, 0}},
    Plain{ElementType::f64, 8, "float64", 20, {0x11, 0x20, 63, 0,  8, 0,  0,    0, 0, 0,
                                               64,   0,    52, 11, 0, 52, 0xff, 3, 0, 0}},
};

const Plain& plain(ElementType type) { return *std::ranges::find(kPlain, type, &Plain::type); }

bool begins_with(Bytes message, const Plain& plain) {
  return message.size() >= plain.message_bytes &&
         std::equal(plain.message.begin(), plain.message.begin() + plain.message_bytes,
                    message.begin());
}

}  // namespace

std::size_t size_of(ElementType type) { return plain(type).bytes; }

bool is_real(ElementType type) { return type == ElementType::f32 || type == ElementType::f64; }

std::string describe(ElementType type) { return std::string{plain(type).name} + " little-endian"; }

Datatype parse_datatype(Bytes message) {
  Fields fields{message};
  const std::uint8_t version = fields.u8();
  const std::uint8_t kind = version & 15u;
  if (version >> 4 != 1) {
    throw other_layout(fmt::format("its type is of HDF5's version {}, not 1", version >> 4));
  }
  const std::uint8_t variable_kind = fields.u8() & 15u;
  fields.skip(2);
  const std::uint32_t bytes = fields.u32();
  if (kind == kTextClass) return {.kind = Datatype::Kind::text, .bytes = bytes};
  if (kind == kVariableClass && variable_kind == 1) return {.kind = Datatype::Kind::variable_text};
  const auto found =
      std::ranges::find_if(kPlain, [&](const Plain& plain) { return begins_with(message, plain); });
  if (found == kPlain.end()) return {};
  return {Datatype::Kind::number, found->type, found->bytes};
}

}  // namespace ballast::storage::h5

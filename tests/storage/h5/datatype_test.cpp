#include "storage/h5/datatype.hpp"

#include <functional>
#include <gtest/gtest.h>
#include <hdf5.h>
#include <vector>

#include "storage/h5/writer_handle.hpp"
#include "support/bytes.hpp"
#include "support/temporary_folder.hpp"

namespace ballast::storage::h5 {
namespace {

/// The message of a type as the library writes it, without the two bytes that it puts before it.
std::vector<std::uint8_t> encoded(hid_t type) {
  std::size_t size = 0;
  EXPECT_GE(H5Tencode(type, nullptr, &size), 0);
  std::vector<std::uint8_t> bytes(size);
  EXPECT_GE(H5Tencode(type, bytes.data(), &size), 0);
  return {bytes.begin() + 2, bytes.end()};
}

TEST(H5Datatype, IsThatOfTheLibrary) {
  struct Case {
    hid_t type;
    ElementType element;
    const char* words;
  };
  for (const auto& [type, element, words] :
       {Case{H5T_STD_U8LE, ElementType::u8, "uint8 little-endian"},
        Case{H5T_STD_U16LE, ElementType::u16, "uint16 little-endian"},
        Case{H5T_STD_U32LE, ElementType::u32, "uint32 little-endian"},
        Case{H5T_STD_U64LE, ElementType::u64, "uint64 little-endian"},
        Case{H5T_STD_I8LE, ElementType::i8, "int8 little-endian"},
        Case{H5T_STD_I16LE, ElementType::i16, "int16 little-endian"},
        Case{H5T_STD_I32LE, ElementType::i32, "int32 little-endian"},
        Case{H5T_STD_I64LE, ElementType::i64, "int64 little-endian"},
        Case{H5T_IEEE_F32LE, ElementType::f32, "float32 little-endian"},
        Case{H5T_IEEE_F64LE, ElementType::f64, "float64 little-endian"}}) {
    auto message = encoded(type);
    message.resize(message.size() + 4);  // headers pad it
    const Datatype found = parse_datatype(message);
    EXPECT_EQ(found.kind, Datatype::Kind::number) << words;
    EXPECT_EQ(found.element, element) << words;
    EXPECT_EQ(found.bytes, H5Tget_size(type)) << words;
    EXPECT_EQ(size_of(element), H5Tget_size(type)) << words;
    EXPECT_EQ(describe(element), words);
    EXPECT_EQ(is_real(element), H5Tget_class(type) == H5T_FLOAT);
  }
}

using Change = std::function<void(hid_t)>;

TEST(H5Datatype, NumbersOfAnyOtherShapeAreOthers) {
  const auto kind_of = [](hid_t base, const Change& change) {
    const Handle type{H5Tcopy(base), H5Tclose};
    change(type.id());
    return parse_datatype(encoded(type.id())).kind;
  };
  const Change as_it_is = [](hid_t) {};
  EXPECT_EQ(kind_of(H5T_STD_U32LE, as_it_is), Datatype::Kind::number);
  for (const hid_t type : {H5T_STD_U16BE, H5T_STD_I64BE, H5T_IEEE_F32BE, H5T_IEEE_F64BE,
                           H5T_STD_B32LE, H5T_UNIX_D32LE}) {
    EXPECT_EQ(kind_of(type, as_it_is), Datatype::Kind::other);
  }
  for (const Change& change :
       {Change{[](hid_t type) { H5Tset_precision(type, 24); }},
        Change{[](hid_t type) { H5Tset_precision(type, 24), H5Tset_offset(type, 8); }},
        Change{[](hid_t type) { H5Tset_size(type, 8); }},
        Change{[](hid_t type) { H5Tset_size(type, 64); }},
        Change{[](hid_t type) { H5Tset_pad(type, H5T_PAD_ONE, H5T_PAD_ZERO); }}}) {
    EXPECT_EQ(kind_of(H5T_STD_U32LE, change), Datatype::Kind::other);
  }
  for (const Change& change : {Change{[](hid_t type) { H5Tset_ebias(type, 126); }},
                               Change{[](hid_t type) { H5Tset_norm(type, H5T_NORM_NONE); }},
                               Change{[](hid_t type) { H5Tset_fields(type, 31, 22, 9, 0, 22); }}}) {
    EXPECT_EQ(kind_of(H5T_IEEE_F32LE, change), Datatype::Kind::other);
  }
}

TEST(H5Datatype, TextsAreTold) {
  const Handle fixed{H5Tcopy(H5T_C_S1), H5Tclose};
  H5Tset_size(fixed.id(), 12);
  const Datatype text = parse_datatype(encoded(fixed.id()));
  EXPECT_EQ(text.kind, Datatype::Kind::text);
  EXPECT_EQ(text.bytes, 12u);
  H5Tset_size(fixed.id(), H5T_VARIABLE);
  EXPECT_EQ(parse_datatype(encoded(fixed.id())).kind, Datatype::Kind::variable_text);
  const Handle list{H5Tvlen_create(H5T_NATIVE_INT), H5Tclose};
  EXPECT_EQ(parse_datatype(encoded(list.id())).kind, Datatype::Kind::other);
}

TEST(H5Datatype, OfAnotherVersionOrCutIsAnError) {
  auto message = encoded(H5T_STD_U32LE);
  message[0] = 0x30;
  test::expect_contains(test::data_error_of([&] { (void)parse_datatype(message); }),
                        "type is of HDF5's version 3, not 1");
  message[0] = 0x10;
  message.resize(7);
  test::expect_contains(test::data_error_of([&] { (void)parse_datatype(message); }),
                        "ends too early");
}

}  // namespace
}  // namespace ballast::storage::h5

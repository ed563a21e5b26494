#include "storage/h5/attributes.hpp"

#include <gtest/gtest.h>

#include "storage/h5/reader.hpp"
#include "storage/h5/writer.hpp"
#include "support/bytes.hpp"
#include "support/temporary_folder.hpp"

namespace ballast::storage {
namespace {

using h5::Handle;
using test::data_error_of;
using test::expect_contains;
using test::field;
using test::TemporaryFolder;

TEST(H5Attributes, ComeBackHoweverManyAndLongTheyAre) {
  const TemporaryFolder folder;
  const auto name_of = [](std::size_t i) {
    return "name " + std::string(i % 9, 'x') + std::to_string(i);
  };
  {
    H5Writer file{folder / "file.h5"};
    for (std::size_t i = 0; i < 200; ++i) {
      file.set_attribute(name_of(i), std::string(i * i, static_cast<char>('a' + i % 26)));
      file.set_attribute("number " + std::to_string(i), i << 56 | i);
    }
    for (std::size_t i = 0; i < 200; i += 3) file.set_attribute(name_of(i), "short");
    file.close();
  }
  const H5Reader file{folder / "file.h5"};
  for (std::size_t i = 0; i < 200; ++i) {
    const std::string text(i * i, static_cast<char>('a' + i % 26));
    EXPECT_EQ(file.text_attribute(name_of(i)), i % 3 == 0 ? "short" : text);
    EXPECT_EQ(file.number_attribute("number " + std::to_string(i)), i << 56 | i);
  }
  EXPECT_FALSE(file.has_attribute("name"));
  EXPECT_FALSE(file.has_attribute(name_of(200)));
}

/// An attribute message of version 1 with a scalar of a type that the library encodes.
struct Message {
  std::uint64_t version = 1;
  std::uint64_t flags = 0;
  std::uint64_t elements = 1;
  hid_t type = H5T_STD_U64LE;
  std::string value = field(7, 8);

  [[nodiscard]] std::string bytes() const {
    std::size_t size = 0;
    H5Tencode(type, nullptr, &size);
    std::string datatype(size, '\0');
    H5Tencode(type, datatype.data(), &size);
    datatype.erase(0, 2);
    const std::string space = field(1, 1) + field(1, 1) + field(0, 6) + field(elements, 8);
    const auto padded = [&](std::string part) {
      if (version == 1) part.resize((part.size() + 7) / 8 * 8);
      return part;
    };
    return field(version, 1) + field(flags, 1) + field(2, 2) + field(datatype.size(), 2) +
           field(space.size(), 2) + (version == 3 ? field(0, 1) : "") + padded({"n\0", 2}) +
           padded(datatype) + padded(space) + value;
  }
};

class H5AttributeMessage : public testing::Test {
 protected:
  /// The attribute "n" of a header of these messages, shown to `use`.
  template <class Use>
  auto with(const std::vector<std::string>& messages, Use&& use) {
    std::string block;
    for (const std::string& message : messages) {
      block += field(0x0c, 2) + field(message.size(), 2) + field(0, 4) + message;
    }
    test::write_bytes(folder_ / "file", field(1, 8) + field(block.size(), 8) + block);
    const h5::ObjectHeader header{ByteSource{folder_ / "file", "an HDF5 file"}, 0};
    return use(*h5::find_attribute(header, "n"));
  }
  std::uint64_t number(const Message& message) { return with({message.bytes()}, h5::number_of); }
  std::string error_of(const Message& message) {
    return data_error_of([&] { (void)number(message); });
  }
  TemporaryFolder folder_;
};

TEST_F(H5AttributeMessage, OfThreeVersionsIsRead) {
  for (const std::uint64_t version : {1u, 2u, 3u}) {
    EXPECT_EQ(number({.version = version}), 7u) << version;
  }
  expect_contains(error_of({.version = 4}), "HDF5's version 4");
  expect_contains(error_of({.version = 0}), "HDF5's version 0");
  expect_contains(error_of({.version = 3, .flags = 1}), "shared with other objects");
}

TEST_F(H5AttributeMessage, HoldsOneIntegerThatIsNotNegative) {
  EXPECT_EQ(number({.type = H5T_STD_I8LE, .value = field(127, 1)}), 127u);
  expect_contains(error_of({.type = H5T_STD_I8LE, .value = field(128, 1)}), "the value -128");
  expect_contains(error_of({.elements = 2, .value = field(7, 8) + field(7, 8)}), "more values");
  expect_contains(error_of({.type = H5T_IEEE_F64LE}), "not an integer");
  expect_contains(error_of({.value = field(7, 7)}), "ends too early");
}

TEST_F(H5AttributeMessage, HoldsATextThatLiesInIt) {
  const Handle type{H5Tcopy(H5T_C_S1), H5Tclose};
  H5Tset_size(type.id(), 5);
  const Message good{.type = type.id(), .value = {"abc\0d", 5}};
  EXPECT_EQ(with({good.bytes()}, h5::text_of), "abc");
  const Message whole{.type = type.id(), .value = "abcde and more"};
  EXPECT_EQ(with({whole.bytes()}, h5::text_of), "abcde");
  const Message cut{.type = type.id(), .value = "abcd"};
  expect_contains(data_error_of([&] { (void)with({cut.bytes()}, h5::text_of); }), "ends too early");
  H5Tset_size(type.id(), 0xffffffff);
  const Message long_one{.type = type.id(), .value = "abcd"};
  expect_contains(data_error_of([&] { (void)with({long_one.bytes()}, h5::text_of); }),
                  "ends too early");
  EXPECT_EQ(error_of(good), "it is not an integer");
}

TEST_F(H5AttributeMessage, StandsOnce) {
  const std::string bytes = Message{}.bytes();
  expect_contains(data_error_of([&] { (void)with({bytes, bytes}, h5::number_of); }), "two of them");
}

}  // namespace
}  // namespace ballast::storage

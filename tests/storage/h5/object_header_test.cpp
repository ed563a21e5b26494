#include "storage/h5/object_header.hpp"

#include <gtest/gtest.h>

#include "support/bytes.hpp"
#include "support/temporary_folder.hpp"

namespace ballast::storage::h5 {
namespace {

using test::data_error_of;
using test::expect_contains;
using test::field;

std::string message(std::uint64_t kind, const std::string& content, std::uint64_t flags = 0) {
  return field(kind, 2) + field(content.size(), 2) + field(flags, 1) + field(0, 3) + content;
}

std::string prefix(std::size_t block_bytes, std::uint64_t version = 1) {
  return field(version, 1) + field(0, 7) + field(block_bytes, 4) + field(0, 4);
}

class H5ObjectHeader : public testing::Test {
 protected:
  /// The header that a file of these bytes begins with.
  ObjectHeader read(const std::string& bytes) {
    test::write_bytes(folder_ / "file", bytes);
    return {ByteSource{folder_ / "file", "an HDF5 file"}, 0};
  }
  std::string error_of(const std::string& bytes) {
    return data_error_of([&] { (void)read(bytes); });
  }
  test::TemporaryFolder folder_;
};

TEST_F(H5ObjectHeader, IsReadOverAllOfItsBlocks) {
  const std::string second = message(0x0c, "other") + message(0x03, "type");
  const std::string first =
      message(0x0c, "one") +
      message(0x10, field(16 + 3 * 8 + 3 + 16 + 5, 8) + field(second.size(), 8)) +
      message(0x01, "space");
  const auto header = read(prefix(first.size()) + first + second);
  EXPECT_EQ(header.get(MessageKind::dataspace).size(), 5u);
  EXPECT_EQ(header.get(MessageKind::datatype).size(), 4u);
  EXPECT_EQ(header.find(MessageKind::layout), nullptr);
  EXPECT_EQ(header.all(MessageKind::attribute).size(), 2u);
  expect_contains(data_error_of([&] { (void)header.get(MessageKind::layout); }), "lacks message 8");
  expect_contains(data_error_of([&] { (void)header.find(MessageKind::attribute); }), "twice");
}

TEST_F(H5ObjectHeader, OfAnotherVersionIsRefused) {
  expect_contains(error_of(prefix(0, 2)), "another way than ballast writes it");
  expect_contains(error_of("OHDR" + std::string(100, '\2')), "header is not of HDF5's version 1");
}

TEST_F(H5ObjectHeader, WhatItSharesIsRefused) {
  const std::string block = message(0x03, "type", 2);
  const auto header = read(prefix(block.size()) + block);
  for (const auto& look :
       std::vector<std::function<void()>>{[&] { (void)header.find(MessageKind::datatype); },
                                          [&] { (void)header.all(MessageKind::datatype); }}) {
    expect_contains(data_error_of(look), "shared with other objects");
  }
}

TEST_F(H5ObjectHeader, EndsWhateverItSays) {
  // A block that goes on in itself.
  const std::string ring = message(0x10, field(16, 8) + field(24, 8));
  expect_contains(error_of(prefix(ring.size()) + ring), "without an end");
  // Messages of no size, as many as find room.
  const std::string many(std::size_t{3} << 20, '\0');
  expect_contains(error_of(prefix(many.size()) + many), "without an end");
  std::string large;
  for (int i = 0; i < 70; ++i) large += message(0, std::string(65528, 'x'));
  expect_contains(error_of(prefix(large.size()) + large), "without an end");
}

TEST_F(H5ObjectHeader, LiesInTheFile) {
  expect_contains(error_of("\1"), "not in the file");
  expect_contains(error_of(prefix(1)), "not in the file");
  expect_contains(error_of(prefix(8) + field(1, 2) + field(1, 2) + field(0, 4)), "ends too early");
  const std::string beyond = message(0x10, field(1000, 8) + field(8, 8));
  expect_contains(error_of(prefix(beyond.size()) + beyond), "not in the file");
  const std::string cut = message(0x10, field(1000, 8));
  expect_contains(error_of(prefix(cut.size()) + cut), "ends too early");
}

}  // namespace
}  // namespace ballast::storage::h5

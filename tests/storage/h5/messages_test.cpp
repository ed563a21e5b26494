#include "storage/h5/messages.hpp"

#include <gtest/gtest.h>

#include "support/bytes.hpp"
#include "support/temporary_folder.hpp"

namespace ballast::storage::h5 {
namespace {

using test::data_error_of;
using test::expect_contains;
using test::field;
using test::to_bytes;

std::string space_1(std::uint64_t flags, const std::vector<std::uint64_t>& lengths) {
  std::string text = field(1, 1) + field(lengths.size(), 1) + field(flags, 1) + field(0, 5);
  for (const std::uint64_t length : lengths) text += field(length, 8);
  return text;
}

std::string space_2(std::uint64_t kind, const std::vector<std::uint64_t>& lengths) {
  std::string text = field(2, 1) + field(lengths.size(), 1) + field(0, 1) + field(kind, 1);
  for (const std::uint64_t length : lengths) text += field(length, 8);
  return text;
}

Dataspace space_of(const std::string& message) { return parse_dataspace(to_bytes(message)); }

TEST(H5Messages, DataspaceCountsElements) {
  for (const auto& [message, dimensions, elements] :
       std::vector<std::tuple<std::string, std::size_t, std::uint64_t>>{
           {space_1(0, {}), 0, 1},
           {space_1(0, {7}), 1, 7},
           {space_1(1, {7}) + field(~std::uint64_t{0}, 8), 1, 7},
           {space_1(0, {3, 5}), 2, 15},
           {space_1(0, {3, 0}), 2, 0},
           {space_2(0, {}), 0, 1},
           {space_2(1, {7}), 1, 7},
           {space_2(2, {}), 0, 0}}) {
    EXPECT_EQ(space_of(message).dimensions, dimensions);
    EXPECT_EQ(space_of(message).elements, elements);
  }
  const auto error_of = [](const std::string& message) {
    return data_error_of([&] { (void)space_of(message); });
  };
  expect_contains(error_of(space_1(2, {7})), "permuted");
  expect_contains(error_of(field(3, 1) + space_1(0, {7}).substr(1)), "version 3");
  expect_contains(error_of(space_1(0, {1ull << 40, 1ull << 40})), "no product");
  expect_contains(error_of(space_1(0, std::vector<std::uint64_t>(33, 1))), "too many dimensions");
  expect_contains(error_of(space_1(0, {7}).substr(0, 12)), "ends too early");
}

TEST(H5Messages, LayoutIsOneOfThree) {
  const auto compact = to_bytes(field(3, 1) + field(0, 1) + field(4, 2) + "abcd" + "padding");
  const Layout first = parse_layout(compact);
  EXPECT_EQ(std::get<CompactLayout>(first).elements.size(), 4u);
  const auto contiguous = to_bytes(field(3, 1) + field(1, 1) + field(96, 8) + field(40, 8));
  const Layout second = parse_layout(contiguous);
  EXPECT_EQ(std::get<ContiguousLayout>(second).address, 96u);
  EXPECT_EQ(std::get<ContiguousLayout>(second).bytes, 40u);
  const auto chunked = [](std::uint64_t version, std::uint64_t sizes, std::uint64_t elements) {
    return to_bytes(field(version, 1) + field(2, 1) + field(sizes, 1) + field(96, 8) +
                    field(elements, 4) + field(8, 4) + field(8, 4));
  };
  const Layout third = parse_layout(chunked(3, 2, 1000));
  EXPECT_EQ(std::get<ChunkedLayout>(third).index, 96u);
  EXPECT_EQ(std::get<ChunkedLayout>(third).elements, 1000u);
  EXPECT_EQ(std::get<ChunkedLayout>(third).element_bytes, 8u);
  const auto error_of = [](const std::vector<std::uint8_t>& message) {
    return data_error_of([&] { (void)parse_layout(message); });
  };
  expect_contains(error_of(chunked(4, 2, 1000)), "layout is of HDF5's version 4, not 3");
  expect_contains(error_of(chunked(3, 3, 1000)), "not one-dimensional");
  expect_contains(error_of(chunked(3, 2, 0)), "chunks have no size");
  expect_contains(error_of(to_bytes(field(3, 1) + field(3, 1))), "neither in one piece");
  expect_contains(error_of(to_bytes(field(3, 1) + field(0, 1) + field(9, 2) + "abcd")),
                  "ends too early");
}

std::string filter(std::uint64_t number, const std::string& name,
                   const std::vector<std::uint64_t>& parameters) {
  std::string text =
      field(number, 2) + field(name.size(), 2) + field(1, 2) + field(parameters.size(), 2) + name;
  for (const std::uint64_t parameter : parameters) text += field(parameter, 4);
  if (parameters.size() % 2 != 0) text += field(0, 4);
  return text;
}

TEST(H5Messages, FiltersKeepTheirOrderAndParameters) {
  const auto front = [](std::uint64_t version, std::uint64_t count) {
    return field(version, 1) + field(count, 1) + field(0, 6);
  };
  const auto filters = parse_filters(
      to_bytes(front(1, 2) + filter(2, {"shuffle\0", 8}, {4}) + filter(7, "", {8, 9})));
  ASSERT_EQ(filters.size(), 2u);
  EXPECT_EQ(filters[0].number, Filter::kShuffle);
  EXPECT_EQ(filters[0].parameters, (std::vector<std::uint32_t>{4}));
  EXPECT_EQ(filters[1].number, 7);
  EXPECT_EQ(filters[1].parameters, (std::vector<std::uint32_t>{8, 9}));
  const auto error_of = [](const std::string& message) {
    return data_error_of([&] { (void)parse_filters(to_bytes(message)); });
  };
  expect_contains(error_of(front(2, 0)), "filters are of HDF5's version 2");
  expect_contains(error_of(front(1, 3)), "3 filters");
  expect_contains(error_of(front(1, 1) + filter(1, "", {6}).substr(0, 10)), "ends too early");
}

}  // namespace
}  // namespace ballast::storage::h5

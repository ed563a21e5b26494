#include "storage/h5/chunk_codec.hpp"

#include <gtest/gtest.h>
#include <zlib.h>

#include "support/bytes.hpp"
#include "support/temporary_folder.hpp"

namespace ballast::storage::h5 {
namespace {

using test::data_error_of;
using test::expect_contains;
using Bytes = std::vector<std::uint8_t>;

const Filter kShuffle4{Filter::kShuffle, {4}};
const Filter kDeflate{Filter::kDeflate, {6}};

Bytes deflated(const Bytes& plain) {
  Bytes packed(compressBound(plain.size()));
  uLongf size = packed.size();
  EXPECT_EQ(compress2(packed.data(), &size, plain.data(), plain.size(), 6), Z_OK);
  packed.resize(size);
  return packed;
}

TEST(H5ChunkCodec, UndoesFiltersFromTheLastToTheFirst) {
  const Bytes plain{1, 2, 3, 4, 5, 6, 7, 8};
  const Bytes mixed{1, 5, 2, 6, 3, 7, 4, 8};
  const ChunkCodec codec{2, 4, std::vector{kShuffle4, kDeflate}};
  EXPECT_EQ(codec.bytes(), 8u);
  EXPECT_EQ(codec.decode(deflated(mixed), 0), plain);
  EXPECT_EQ(codec.decode(deflated(plain), 1), plain) << "the first was left out";
  EXPECT_EQ(codec.decode(mixed, 2), plain) << "the second was left out";
  EXPECT_EQ(codec.decode(plain, 3), plain);
  EXPECT_EQ((ChunkCodec{2, 4, {}}.decode(plain, 0)), plain);
}

TEST(H5ChunkCodec, GivesAChunkOfItsSizeOrAnError) {
  const ChunkCodec codec{2, 4, std::vector{kDeflate}};
  for (const std::size_t size : {0u, 7u, 9u, 100000u}) {
    expect_contains(data_error_of([&] { (void)codec.decode(deflated(Bytes(size)), 0); }),
                    "does not inflate to its 8 B");
  }
  auto cut = deflated(Bytes{1, 2, 3, 4, 5, 6, 7, 8});
  cut.pop_back();
  expect_contains(data_error_of([&] { (void)codec.decode(cut, 0); }), "does not inflate");
  expect_contains(data_error_of([&] { (void)codec.decode(Bytes(7), 1); }), "7 bytes instead of 8");
  const ChunkCodec mixing{2, 4, std::vector{kShuffle4}};
  expect_contains(data_error_of([&] { (void)mixing.decode(Bytes(9), 0); }), "9 bytes instead of 8");
}

TEST(H5ChunkCodec, KnowsTwoFiltersAndChunksOfOurSizes) {
  const auto error_of = [](std::uint64_t elements, const std::vector<Filter>& filters) {
    return data_error_of([&] { ChunkCodec(elements, 4, filters); });
  };
  expect_contains(error_of(2, {Filter{3, {}}}), "other than shuffle and deflate (number 3)");
  expect_contains(error_of(2, {Filter{Filter::kShuffle, {8}}}), "number 2");
  expect_contains(error_of(2, {Filter{Filter::kShuffle, {}}}), "number 2");
  expect_contains(error_of((1u << 20) + 1, {}), "larger than 4.0 MiB");
  EXPECT_EQ((ChunkCodec{1u << 20, 4, {}}.bytes()), 4u << 20);
}

}  // namespace
}  // namespace ballast::storage::h5

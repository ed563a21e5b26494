#include "storage/h5/chunk_index.hpp"

#include <algorithm>
#include <gtest/gtest.h>
#include <hdf5.h>
#include <numeric>
#include <random>

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

constexpr std::size_t kChunk = 32;  // of 8 bytes: the smallest that is read

std::vector<std::uint64_t> counting(std::size_t size) {
  std::vector<std::uint64_t> values(size);
  std::iota(values.begin(), values.end(), 1000);
  return values;
}

/// A node has 64 entries at most: these make a tree of one, two and three levels.
TEST(H5ChunkIndex, FindsEachOfManyChunks) {
  const TemporaryFolder folder;
  for (const std::size_t chunks : {1u, 63u, 64u, 65u, 200u, 5000u}) {
    const auto values = counting(chunks * kChunk - 5);
    for (const int deflate : {0, 1}) {
      H5Writer file{folder / "file.h5"};
      file.create_growing<std::uint64_t>("x", {.chunk = kChunk, .deflate = deflate});
      file.append<std::uint64_t>("x", values);
      file.close();
      const H5Reader reader{folder / "file.h5"};
      EXPECT_EQ(reader.read_all<std::uint64_t>("x"), values) << chunks;
    }
  }
}

/// Creates "x" of `chunks` chunks and writes those of `order`, one after the other.
void write_in_order(const std::filesystem::path& path, hsize_t chunks,
                    const std::vector<std::size_t>& order) {
  const Handle file{H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT), H5Fclose};
  const Handle creation{H5Pcreate(H5P_DATASET_CREATE), H5Pclose};
  const hsize_t chunk = kChunk;
  H5Pset_chunk(creation.id(), 1, &chunk);
  const hsize_t size = chunks * kChunk;
  const Handle space{H5Screate_simple(1, &size, nullptr), H5Sclose};
  const Handle dataset{H5Dcreate2(file.id(), "x", H5T_STD_U64LE, space.id(), H5P_DEFAULT,
                                  creation.id(), H5P_DEFAULT),
                       H5Dclose};
  const auto values = counting(size);
  for (const std::size_t i : order) {
    const hsize_t first = i * kChunk;
    ASSERT_GE(H5Dwrite_chunk(dataset.id(), H5P_DEFAULT, 0, &first, kChunk * 8, &values[first]), 0);
  }
}

TEST(H5ChunkIndex, FindsChunksThatWereWrittenInAnyOrder) {
  const TemporaryFolder folder;
  std::vector<std::size_t> order(1000);
  std::iota(order.begin(), order.end(), 0);
  std::shuffle(order.begin(), order.end(), std::mt19937{3});
  const std::vector<std::size_t> absent(order.end() - 100, order.end());
  order.resize(900);
  write_in_order(folder / "file.h5", 1000, order);
  const H5Reader file{folder / "file.h5"};
  std::vector<std::uint64_t> chunk(kChunk);
  for (const std::size_t i : order) {
    file.read<std::uint64_t>("x", i * kChunk, chunk);
    EXPECT_EQ(chunk[7], i * kChunk + 1007);
  }
  for (const std::size_t i : absent) {
    expect_contains(data_error_of([&] { file.read<std::uint64_t>("x", i * kChunk, chunk); }),
                    fmt::format("chunk {}: it is not in the file", i));
    H5Reader::StoredChunk stored;
    expect_contains(data_error_of([&] { file.read_stored_chunk("x", i * kChunk, stored); }),
                    "it is not there");
  }
}

TEST(H5ChunkIndex, GivesStoredChunksAsTheyLie) {
  const TemporaryFolder folder;
  write_in_order(folder / "file.h5", 3, {2, 0, 1});
  const H5Reader file{folder / "file.h5"};
  const auto values = counting(3 * kChunk);
  H5Reader::StoredChunk stored;
  for (std::size_t i = 0; i < 3; ++i) {
    file.read_stored_chunk("x", i * kChunk, stored);
    EXPECT_EQ(stored.filter_mask, 0u);
    ASSERT_EQ(stored.bytes.size(), kChunk * 8);
    EXPECT_EQ(std::memcmp(stored.bytes.data(), &values[i * kChunk], kChunk * 8), 0);
  }
  expect_contains(data_error_of([&] { file.read_stored_chunk("x", 1, stored); }),
                  "cannot read the chunk at element 1 of dataset 'x'");
}

class H5DamagedIndex : public testing::Test {
 protected:
  H5DamagedIndex() {
    std::vector<std::size_t> order(200);
    std::iota(order.begin(), order.end(), 0);
    write_in_order(path_, order.size(), order);
    whole_ = test::bytes_of_file(path_);
  }
  /// How reading all ends where `bytes` stand in each node of chunks, `behind` its beginning.
  std::string error_with(std::size_t behind, std::string_view bytes) {
    test::write_bytes(path_, whole_);
    const std::string signature = "TREE\1";
    for (std::size_t at = whole_.find(signature); at != std::string::npos;
         at = whole_.find(signature, at + 1)) {
      test::replace_bytes(path_, at + behind, bytes);
    }
    return data_error_of([&] { (void)H5Reader{path_}.read_all<std::uint64_t>("x"); });
  }
  TemporaryFolder folder_;
  std::filesystem::path path_ = folder_ / "file.h5";
  std::string whole_;
};

TEST_F(H5DamagedIndex, IsNamed) {
  const std::string far = field(~std::uint64_t{0} - 100, 8);
  constexpr std::size_t kSecondKey = 24 + 24 + 8;
  struct Case {
    std::size_t behind;
    std::string bytes;
    const char* words;
  };
  for (const auto& [behind, bytes, words] : {
           Case{0, "TREA", "no 'TREE'"},
           Case{4, field(0, 1), "of another kind"},
           Case{5, field(200, 1), "too deep"},
           Case{5, field(3, 1), "wrong level"},
           Case{6, field(65, 2), "too many entries"},
           Case{6, field(0, 2), "chunk 0: it is not in the file"},
           Case{24, field(5000, 4), "are packed"},
           Case{24, field(1u << 30, 4), "a chunk lies beyond the file's end"},
           Case{24 + 8, field(1, 8), "out of order"},
           Case{24 + 8, field(kChunk, 8), "chunk 0: it is not in the file"},
           Case{24 + 16, field(8, 8), "out of order"},
           Case{48, far, "the file"},
           Case{kSecondKey + 8, field(0, 8), "out of order"},
           Case{kSecondKey + 8, field(kChunk + 1, 8), "out of order"},
       }) {
    const auto message = error_with(behind, bytes);
    expect_contains(message, "dataset 'x' of '");
    expect_contains(message, words);
  }
}

}  // namespace
}  // namespace ballast::storage

#include "storage/h5/reader.hpp"

#include <algorithm>
#include <atomic>
#include <gtest/gtest.h>
#include <latch>
#include <numeric>
#include <thread>

#include "storage/h5/writer.hpp"
#include "support/bytes.hpp"
#include "support/child_memory.hpp"
#include "support/temporary_folder.hpp"

namespace ballast::storage {
namespace {

using test::data_error_of;
using test::expect_contains;
using test::TemporaryFolder;

std::vector<std::uint32_t> counting(std::size_t size, std::uint32_t first = 0) {
  std::vector<std::uint32_t> values(size);
  std::iota(values.begin(), values.end(), first);
  return values;
}

/// Datasets hold these words, and are opened only where they are the same again.
TEST(H5Reader, TellsStorageInWordsThatStay) {
  const TemporaryFolder folder;
  {
    H5Writer file{folder / "file.h5"};
    file.write<std::uint16_t>("plain", std::vector<std::uint16_t>(100));
    file.create_growing<std::uint16_t>("grown", {.chunk = 65536, .deflate = 3});
    file.create_growing<float>("raw", {.chunk = 65536, .deflate = 0});
    file.write<std::uint8_t>("empty", {}, {.chunk = 65536, .deflate = 3});
    file.write<std::int64_t>("short", std::vector<std::int64_t>(9), {.chunk = 65536, .deflate = 9});
    file.close();
  }
  const H5Reader file{folder / "file.h5"};
  EXPECT_EQ(file.storage("plain"), "uint16 little-endian, in one piece");
  EXPECT_EQ(file.storage("grown"),
            "uint16 little-endian, chunks of 65536, filter 2 (2), filter 1 (3)");
  EXPECT_EQ(file.storage("raw"), "float32 little-endian, chunks of 65536");
  EXPECT_EQ(file.storage("empty"), "uint8 little-endian, in one piece");
  EXPECT_EQ(file.storage("short"), "int64 little-endian, chunks of 9, filter 2 (8), filter 1 (9)");
}

TEST(H5Reader, FindsWhatWasFlushedWhileTheFileGrows) {
  const TemporaryFolder folder;
  H5Writer writing{folder / "file.h5"};
  writing.create_growing<std::uint32_t>("a/x", {.chunk = 100, .deflate = 1});
  for (std::size_t size = 0; size < 5000; size += 777) {
    writing.append<std::uint32_t>("a/x", counting(777, static_cast<std::uint32_t>(size)));
    writing.set_attribute("size", std::uint64_t{size});
    writing.flush();
    const H5Reader file{folder / "file.h5"};
    EXPECT_EQ(file.read_all<std::uint32_t>("a/x"), counting(size + 777));
    EXPECT_EQ(file.number_attribute("size"), size);
  }
  writing.write<float>("b", std::vector<float>(1000, 0.5f));
  writing.close();
  const H5Reader file{folder / "file.h5"};
  EXPECT_EQ(file.size("a/x"), 7 * 777u);
  EXPECT_EQ(file.read_all<float>("b"), std::vector<float>(1000, 0.5f));
}

/// Reads all of both datasets piece by piece with several threads, which begin at once; says how
/// many pieces were wrong.
int wrong_pieces(const H5Reader& file, const std::vector<std::uint32_t>& values) {
  constexpr std::size_t kThreads = 4;
  constexpr std::size_t kPiece = 250;
  std::atomic<int> wrong = 0;
  std::latch start{kThreads};
  const auto read = [&] {
    std::vector<std::uint32_t> piece(kPiece);
    start.arrive_and_wait();
    for (std::size_t first = 0; first < values.size(); first += kPiece) {
      for (const char* name : {"x", "y"}) {
        file.read<std::uint32_t>(name, first, piece);
        wrong += !std::ranges::equal(piece, std::span{values}.subspan(first, kPiece));
      }
    }
  };
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < kThreads; ++i) threads.emplace_back(read);
  for (std::thread& thread : threads) thread.join();
  return wrong;
}

TEST(H5Reader, ServesThreadsWhileAnotherWrites) {
  const TemporaryFolder folder;
  const auto values = counting(60000);
  const auto write = [&](const std::filesystem::path& path) {
    H5Writer file{path};
    file.write<std::uint32_t>("x", values, {.chunk = 100, .deflate = 1});
    file.write<std::uint32_t>("y", values);
    file.close();
  };
  write(folder / "file.h5");
  std::atomic<bool> is_done = false;
  std::thread writing{[&] {
    while (!is_done) write(folder / "other.h5");
  }};
  for (int round = 0; round < 20; ++round) {
    EXPECT_EQ(wrong_pieces(H5Reader{folder / "file.h5"}, values), 0);
  }
  is_done = true;
  writing.join();
}

/// A file of a few KB with one of each: a folder, attributes, a dataset in one piece and one in
/// packed chunks.
class H5SmallFile : public testing::Test {
 protected:
  H5SmallFile() {
    H5Writer file{path_};
    file.write<std::uint32_t>("a/chunks", counting(150), {.chunk = 64, .deflate = 1});
    file.write<float>("piece", std::vector<float>(10, 0.5f));
    file.set_attribute("text", "words");
    file.set_attribute("number", std::uint64_t{7});
    file.close();
    whole_ = test::bytes_of_file(path_);
  }
  static void read(const std::filesystem::path& path) {
    const H5Reader file{path};
    EXPECT_LT(file.text_attribute("text").size(), 65536u);
    (void)file.number_attribute("number");
    (void)file.storage("a/chunks");
    (void)file.contains("a/more");
    H5Reader::StoredChunk chunk;
    for (std::size_t first = 0; first < 150; first += 64) {
      file.read_stored_chunk("a/chunks", first, chunk);
    }
    (void)file.read_all<std::uint32_t>("a/chunks");
    (void)file.read_all<float>("piece");
  }
  TemporaryFolder folder_;
  std::filesystem::path path_ = folder_ / "file.h5";
  std::string whole_;
};

TEST_F(H5SmallFile, EveryAlteredByteIsAnErrorOrAValueInLittleMemory) {
  ASSERT_NO_THROW(read(path_));
  ASSERT_LT(whole_.size(), 12000u);
  std::size_t errors = 0;
  const auto child = test::in_child([&] {
    for (std::size_t at = 0; at < whole_.size(); ++at) {
      for (const int byte : {0, 0xff, whole_[at] ^ 1, whole_[at] ^ 0x80}) {
        test::replace_bytes(path_, at, std::string(1, static_cast<char>(byte)));
        try {
          read(path_);
        } catch (const Error& error) {
          if (error.code() != ExitCode::data) throw data_error("byte {}: {}", at, error.what());
          ++errors;
        }
      }
      test::replace_bytes(path_, at, whole_.substr(at, 1));
    }
    throw data_error("{} errors", errors);
  });
  // Most of the file is room that nothing was written to, and half of the bytes stay as they are.
  EXPECT_EQ(child.message.find("errors"), child.message.find(' ') + 1) << child.message;
  EXPECT_GT(std::stoul(child.message), whole_.size() / 4) << child.message;
  EXPECT_LT(child.grown_bytes, test::kMostMemory);
}

TEST_F(H5SmallFile, EveryTruncationIsAnErrorThatNamesIt) {
  for (std::size_t size = whole_.size(); size-- > 0;) {
    std::filesystem::resize_file(path_, size);
    const auto message = data_error_of([&] { H5Reader{path_}; });
    expect_contains(message, size == 0  ? "file.h5' is empty"
                             : size < 8 ? "file.h5' is not an HDF5 file"
                                        : "truncated or damaged");
  }
}

}  // namespace
}  // namespace ballast::storage

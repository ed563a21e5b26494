#include <cstdint>
#include <fstream>
#include <functional>
#include <gtest/gtest.h>
#include <hdf5.h>
#include <random>
#include <sys/stat.h>
#include <vector>
#include <zlib.h>

#include "storage/h5/reader.hpp"
#include "storage/h5/writer.hpp"
#include "support/child_memory.hpp"
#include "support/temporary_folder.hpp"

namespace ballast::storage {
namespace {

using test::data_error_of;
using test::in_child;
using test::kMostMemory;
using test::TemporaryFolder;

constexpr hsize_t kHuge = hsize_t{1} << 31;

using Prepare = std::function<void(hid_t creation)>;

const Prepare kContiguous = [](hid_t) {};

Prepare chunks_of(hsize_t size) {
  return [size](hid_t creation) { H5Pset_chunk(creation, 1, &size); };
}

Prepare filtered(const Prepare& filter) {
  return [filter](hid_t creation) {
    chunks_of(1000)(creation);
    filter(creation);
  };
}

/// A file made with HDF5's own calls, as somebody else would.
class H5ForeignFile : public testing::Test {
 protected:
  template <class Work>
  void with_file(Work&& work) {
    const h5::Handle file{H5Fcreate(path_.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT),
                          H5Fclose};
    ASSERT_GE(file.id(), 0);
    work(file.id());
  }

  /// Replaces the file by one with a dataset "x" of which nothing is written, and shows it to
  /// `work`.
  template <class Work>
  void make(hid_t type, const std::vector<hsize_t>& shape, const Prepare& prepare, Work&& work) {
    with_file([&](hid_t file) {
      const h5::Handle creation{H5Pcreate(H5P_DATASET_CREATE), H5Pclose};
      prepare(creation.id());
      const h5::Handle space{
          H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr), H5Sclose};
      const h5::Handle dataset{
          H5Dcreate2(file, "x", type, space.id(), H5P_DEFAULT, creation.id(), H5P_DEFAULT),
          H5Dclose};
      ASSERT_GE(dataset.id(), 0);
      work(dataset.id());
    });
  }
  void make(hid_t type, const std::vector<hsize_t>& shape, const Prepare& prepare) {
    make(type, shape, prepare, [](hid_t) {});
  }

  /// What reading all of "x" ends with; its memory is held to the bound.
  std::string refusal() {
    const auto child = in_child([&] { (void)H5Reader{path_}.read_all<std::uint64_t>("x"); });
    EXPECT_LT(child.grown_bytes, kMostMemory + std::filesystem::file_size(path_)) << child.message;
    EXPECT_NE(child.message.find("'x'"), std::string::npos) << child.message;
    EXPECT_NE(child.message.find("file.h5"), std::string::npos) << child.message;
    return child.message;
  }
  void expect_refusal(const std::string& words) {
    const auto message = refusal();
    EXPECT_NE(message.find(words), std::string::npos) << message;
  }

  TemporaryFolder folder_;
  std::filesystem::path path_ = folder_ / "file.h5";
};

TEST_F(H5ForeignFile, MayNotClaimMoreThanItHolds) {
  make(H5T_STD_U64LE, {kHuge}, chunks_of(1 << 16));
  expect_refusal("claims 2147483648 elements");
  make(H5T_STD_U64LE, {hsize_t{1} << 40}, chunks_of(1 << 16));
  expect_refusal("claims");
  make(H5T_STD_U64LE, {kHuge}, [](hid_t creation) {
    chunks_of(1 << 16)(creation);
    H5Pset_deflate(creation, 1);
  });
  expect_refusal("claims");
  make(H5T_STD_U64LE, {kHuge}, kContiguous);  // without room in the file
  expect_refusal("claims 2147483648 elements");
  make(H5T_STD_U64LE, {1000}, kContiguous);
  expect_refusal("which are not in the file");
  make(H5T_STD_U64LE, {100000}, chunks_of(1000));
  expect_refusal("chunk 0: it is not in the file");
}

TEST_F(H5ForeignFile, MayNotHaveChunksBeyondOurs) {
  make(H5T_STD_U64LE, {100}, [](hid_t creation) {
    const hsize_t size = 100;
    H5Pset_chunk(creation, 1, &size);
  });
  expect_refusal("not in the file");
  with_file([](hid_t file) {
    const h5::Handle creation{H5Pcreate(H5P_DATASET_CREATE), H5Pclose};
    chunks_of((hsize_t{1} << 29) - 1)(creation.id());
    const hsize_t size = 100;
    const hsize_t most = H5S_UNLIMITED;
    const h5::Handle space{H5Screate_simple(1, &size, &most), H5Sclose};
    const h5::Handle dataset{
        H5Dcreate2(file, "x", H5T_STD_U64LE, space.id(), H5P_DEFAULT, creation.id(), H5P_DEFAULT),
        H5Dclose};
  });
  expect_refusal("larger than 4.0 MiB");
  make(H5T_STD_U64LE, {100000}, chunks_of(1));
  expect_refusal("too small");
}

TEST_F(H5ForeignFile, ChunkThatInflatesWithoutEndIsRefused) {
  std::vector<std::uint8_t> zeros(std::size_t{512} << 20);
  std::vector<std::uint8_t> packed(compressBound(zeros.size()));
  uLongf size = packed.size();
  ASSERT_EQ(compress2(packed.data(), &size, zeros.data(), zeros.size(), 1), Z_OK);
  zeros = {};
  const auto deflated = [](hid_t creation) {
    chunks_of(1 << 18)(creation);
    H5Pset_deflate(creation, 1);
  };
  const auto write_first = [&](hid_t dataset, std::size_t bytes) {
    const hsize_t offset = 0;
    H5Dwrite_chunk(dataset, H5P_DEFAULT, 0, &offset, bytes, packed.data());
  };
  make(H5T_STD_U64LE, {1 << 18}, deflated, [&](hid_t x) { write_first(x, size); });
  expect_refusal("are packed");
  make(H5T_STD_U64LE, {1 << 18}, deflated, [&](hid_t x) { write_first(x, std::size_t{1} << 20); });
  expect_refusal("chunk 0: it does not inflate to its 2.0 MiB");
}

TEST_F(H5ForeignFile, PassesThroughNoOtherFilters) {
  for (const Prepare& filter :
       {Prepare{[](hid_t list) { H5Pset_fletcher32(list); }},
        Prepare{[](hid_t list) { H5Pset_nbit(list); }},
        Prepare{[](hid_t list) { H5Pset_scaleoffset(list, H5Z_SO_INT, 3); }}}) {
    make(H5T_STD_U64LE, {5000}, filtered(filter));
    expect_refusal("filter other than shuffle and deflate");
  }
  make(H5T_STD_U64LE, {5000}, filtered([](hid_t list) {
         for (int i = 0; i < 3; ++i) H5Pset_shuffle(list);
       }));
  expect_refusal("3 filters");
}

TEST_F(H5ForeignFile, HoldsPlainNumbersInOneDimension) {
  const h5::Handle compound{H5Tcreate(H5T_COMPOUND, 16), H5Tclose};
  H5Tinsert(compound.id(), "a", 0, H5T_NATIVE_INT64);
  H5Tinsert(compound.id(), "b", 8, H5T_NATIVE_INT64);
  const h5::Handle text{H5Tcopy(H5T_C_S1), H5Tclose};
  H5Tset_size(text.id(), H5T_VARIABLE);
  const h5::Handle wide{H5Tcopy(H5T_STD_U64LE), H5Tclose};
  H5Tset_size(wide.id(), 64);
  const h5::Handle lists{H5Tvlen_create(H5T_NATIVE_INT), H5Tclose};
  for (const hid_t type : {compound.id(), text.id(), wide.id(), lists.id()}) {
    make(type, {100}, chunks_of(100));
    expect_refusal("no plain integers");
  }
  make(H5T_STD_U64LE, {4, 4}, kContiguous);
  expect_refusal("not one-dimensional");
  make(H5T_STD_U64LE, {}, kContiguous);
  expect_refusal("not one-dimensional");
}

TEST_F(H5ForeignFile, OfTheOtherByteOrderIsRefused) {
  const std::vector<std::uint16_t> values{1, 256, 65535};
  for (const Prepare& layout : {kContiguous, chunks_of(3)}) {
    make(H5T_STD_U16BE, {3}, layout, [&](hid_t x) {
      H5Dwrite(x, H5T_NATIVE_UINT16, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
    });
    expect_refusal("no plain integers or floating-point numbers, lowest byte first");
  }
}

TEST_F(H5ForeignFile, LinksToOtherPlacesAreRefused) {
  with_file([&](hid_t file) {
    H5Lcreate_soft("/x", file, "x", H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_external((folder_ / "other.h5").c_str(), "/", file, "outside", H5P_DEFAULT,
                       H5P_DEFAULT);
  });
  H5Writer other{folder_ / "other.h5"};
  other.write<std::uint64_t>("x", std::vector<std::uint64_t>{1});
  other.close();
  (void)refusal();
  const H5Reader file{path_};
  for (const char* name : {"outside", "outside/x"}) {
    (void)data_error_of([&] { (void)file.read_all<std::uint64_t>(name); });
  }
}

TEST_F(H5ForeignFile, VirtualDatasetIsRefused) {
  H5Writer other{folder_ / "other.h5"};
  other.write<std::uint64_t>("x", std::vector<std::uint64_t>(10));
  other.close();
  const hsize_t size = 10;
  const h5::Handle space{H5Screate_simple(1, &size, nullptr), H5Sclose};
  make(H5T_STD_U64LE, {10}, [&](hid_t creation) {
    H5Pset_virtual(creation, space.id(), (folder_ / "other.h5").c_str(), "x", space.id());
  });
  expect_refusal("layout is of HDF5's version 4");
}

/// HDF5 divides by a chunk's size before it tells it.
TEST_F(H5ForeignFile, ChunksOfNoSizeAreNoCrash) {
  make(H5T_STD_U64LE, {100}, chunks_of(100));
  std::ifstream stream{path_, std::ios::binary};
  std::string bytes{std::istreambuf_iterator<char>{stream}, {}};
  // Of the layout's message: version 3, chunked, two sizes, no address, 100 elements of 8 bytes.
  const std::string layout{"\3\2\2\xff\xff\xff\xff\xff\xff\xff\xff\x64\0\0\0\x8\0\0\0", 19};
  const auto at = bytes.find(layout);
  ASSERT_NE(at, std::string::npos);
  bytes[at + 11] = 0;
  std::ofstream{path_, std::ios::binary} << bytes;
  expect_refusal("its chunks have no size");
}

TEST_F(H5ForeignFile, AttributesAreShortTextsOfFixedLength) {
  with_file([](hid_t file) {
    const h5::Handle space{H5Screate(H5S_SCALAR), H5Sclose};
    const h5::Handle text{H5Tcopy(H5T_C_S1), H5Tclose};
    H5Tset_size(text.id(), H5T_VARIABLE);
    const h5::Handle attribute{
        H5Acreate2(file, "x", text.id(), space.id(), H5P_DEFAULT, H5P_DEFAULT), H5Aclose};
    const char* value = "words";
    H5Awrite(attribute.id(), text.id(), &value);
  });
  const auto message = data_error_of([&] { (void)H5Reader{path_}.text_attribute("x"); });
  EXPECT_NE(message.find("variable length"), std::string::npos) << message;
  {
    const h5::Handle access{H5Pcreate(H5P_FILE_ACCESS), H5Pclose};
    H5Pset_libver_bounds(access.id(), H5F_LIBVER_LATEST, H5F_LIBVER_LATEST);
    const h5::Handle file{H5Fcreate(path_.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, access.id()),
                          H5Fclose};
    const h5::Handle space{H5Screate(H5S_SCALAR), H5Sclose};
    const h5::Handle text{H5Tcopy(H5T_C_S1), H5Tclose};
    H5Tset_size(text.id(), 100000);
    const std::vector<char> value(100000, 'x');
    const h5::Handle attribute{
        H5Acreate2(file.id(), "x", text.id(), space.id(), H5P_DEFAULT, H5P_DEFAULT), H5Aclose};
    ASSERT_GE(H5Awrite(attribute.id(), text.id(), value.data()), 0);
  }
  const auto longer = data_error_of([&] { (void)H5Reader{path_}.text_attribute("x"); });
  EXPECT_NE(longer.find("laid out in another way than ballast writes it: its superblock"),
            std::string::npos)
      << longer;
}

TEST_F(H5ForeignFile, WhatIsReadWholeIsHeldAgainstTheFile) {
  // Zeros deflate to a thousandth: 160 MB of them in a file of 200 KB.
  H5Writer file{path_};
  file.create_growing<std::uint64_t>("x", {.chunk = 1 << 16, .deflate = 9});
  for (int i = 0; i < 300; ++i)
    file.append<std::uint64_t>("x", std::vector<std::uint64_t>(1 << 16));
  file.close();
  expect_refusal("too many for a file of");
  // Piece by piece it may be read.
  const H5Reader reading{path_};
  std::vector<std::uint64_t> piece(1000);
  reading.read<std::uint64_t>("x", 300 * (1 << 16) - 1000, piece);
}

TEST_F(H5ForeignFile, APipeOrADeviceIsNoFile) {
  ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);
  for (const std::filesystem::path& path : {path_, std::filesystem::path{"/dev/zero"}}) {
    const auto message = data_error_of([&] { (void)H5Reader{path}; });
    EXPECT_NE(message.find("is a pipe or a device"), std::string::npos) << message;
  }
}

/// Whatever byte is wrong: an error or the values, never a crash, and little memory.
TEST_F(H5ForeignFile, AlteredBytesTakeLittleMemory) {
  {
    H5Writer file{folder_ / "whole.h5"};
    file.write<std::uint64_t>("x", std::vector<std::uint64_t>(3000, 7),
                              {.chunk = 1000, .deflate = 1});
    file.write<float>("y", std::vector<float>(100));
    file.set_attribute("a", "text");
    file.close();
  }
  std::ifstream stream{folder_ / "whole.h5", std::ios::binary};
  const std::string whole{std::istreambuf_iterator<char>{stream}, {}};
  const auto child = in_child([&] {
    std::mt19937 random{7};
    for (int i = 0; i < 3000; ++i) {
      std::string bytes = whole;
      for (std::size_t times = 1 + random() % 3; times > 0; --times) {
        bytes[random() % bytes.size()] = static_cast<char>(random());
      }
      std::ofstream{path_, std::ios::binary} << bytes << std::flush;
      try {
        const H5Reader file{path_};
        (void)file.text_attribute("a");
        (void)file.read_all<float>("y");
        (void)file.read_all<std::uint64_t>("x");
      } catch (const Error&) {
      }
    }
    throw data_error("all read");
  });
  EXPECT_EQ(child.message, "all read");
  EXPECT_LT(child.grown_bytes, kMostMemory);
}

}  // namespace
}  // namespace ballast::storage

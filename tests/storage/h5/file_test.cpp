#include <csignal>
#include <cstdio>
#include <fstream>
#include <gtest/gtest.h>
#include <numeric>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "storage/files.hpp"
#include "storage/h5/reader.hpp"
#include "storage/h5/writer.hpp"
#include "support/temporary_folder.hpp"

namespace ballast::storage {
namespace {

using test::data_error_of;
using test::TemporaryFolder;

constexpr H5Layout kPacked{.chunk = 1000, .deflate = 4};

void expect_contains(const std::string& text, const std::string& part) {
  EXPECT_NE(text.find(part), std::string::npos) << text;
}

template <class T>
std::vector<T> counting(std::size_t size) {
  std::vector<T> values(size);
  for (std::size_t i = 0; i < size; ++i) values[i] = static_cast<T>(i * 7 + 3);
  return values;
}

template <class T>
class H5Elements : public testing::Test {};
using Elements = testing::Types<std::uint8_t, std::uint16_t, std::uint32_t, std::uint64_t,
                                std::int32_t, std::int64_t, float, double>;
TYPED_TEST_SUITE(H5Elements, Elements);

TYPED_TEST(H5Elements, ComeBackInEveryLayoutAndSize) {
  const TemporaryFolder folder;
  for (const std::size_t size : {0u, 1u, 999u, 1000u, 1001u, 12345u}) {
    const auto values = counting<TypeParam>(size);
    {
      H5Writer file{folder / "file.h5"};
      file.write<TypeParam>("plain", values);
      file.write<TypeParam>("deep/er/packed", values, kPacked);
      file.create_growing<TypeParam>("deep/grown", kPacked);
      for (std::size_t done = 0; done < size;) {
        const std::size_t step = std::min<std::size_t>(size - done, 700);
        file.append<TypeParam>("deep/grown", std::span{values}.subspan(done, step));
        done += step;
      }
      file.close();
    }
    const H5Reader file{folder / "file.h5"};
    for (const char* name : {"plain", "deep/er/packed", "deep/grown"}) {
      EXPECT_EQ(file.read_all<TypeParam>(name), values) << name << " " << size;
      EXPECT_EQ(file.size(name), size);
      EXPECT_EQ(file.element_size(name), sizeof(TypeParam));
    }
    if (size < 1000) continue;
    std::vector<TypeParam> part(3);
    file.read<TypeParam>("deep/grown", 997, part);
    EXPECT_EQ(part, (std::vector<TypeParam>{values[997], values[998], values[999]}));
  }
}

TEST(H5Files, ConvertsIntegersAndRefusesOtherKinds) {
  const TemporaryFolder folder;
  H5Writer writing{folder / "file.h5"};
  writing.write<std::uint16_t>("tokens", std::vector<std::uint16_t>{0, 65535});
  writing.write<float>("weights", std::vector<float>{0.5f});
  writing.close();
  const H5Reader file{folder / "file.h5"};
  EXPECT_EQ(file.read_all<std::int32_t>("tokens"), (std::vector<std::int32_t>{0, 65535}));
  const auto message = data_error_of([&] { (void)file.read_all<std::int32_t>("weights"); });
  expect_contains(message, "'weights'");
  expect_contains(message, "file.h5");
}

TEST(H5Files, PacksWhatRepeats) {
  const TemporaryFolder folder;
  H5Writer file{folder / "file.h5"};
  file.write<std::uint32_t>("zeros", std::vector<std::uint32_t>(1000000), {65536, 4});
  file.close();
  EXPECT_LT(std::filesystem::file_size(folder / "file.h5"), 40000u);
}

TEST(H5Files, EqualContentsMakeEqualFiles) {
  const TemporaryFolder folder;
  for (const char* name : {"a.h5", "b.h5"}) {
    H5Writer file{folder / name};
    file.write<double>("x", counting<double>(1500), kPacked);
    file.write<double>("y", counting<double>(1500));
    file.set_attribute("name", "same");
    file.close();
  }
  EXPECT_EQ(hash_file(folder / "a.h5"), hash_file(folder / "b.h5"));
}

TEST(H5Files, AttributesComeBack) {
  const TemporaryFolder folder;
  H5Writer writing{folder / "file.h5"};
  writing.set_attribute("text", "größer");
  writing.set_attribute("none", "");
  writing.set_attribute("number", std::uint64_t{1} << 63);
  writing.set_attribute("again", "first, and longer");
  writing.set_attribute("again", "second");
  writing.close();
  const H5Reader file{folder / "file.h5"};
  EXPECT_EQ(file.text_attribute("text"), "größer");
  EXPECT_EQ(file.text_attribute("none"), "");
  EXPECT_EQ(file.number_attribute("number"), std::uint64_t{1} << 63);
  EXPECT_EQ(file.text_attribute("again"), "second");
  EXPECT_FALSE(file.has_attribute("absent"));
  expect_contains(data_error_of([&] { (void)file.text_attribute("absent"); }), "'absent'");
  expect_contains(data_error_of([&] { (void)file.number_attribute("text"); }), "an integer");
  expect_contains(data_error_of([&] { (void)file.text_attribute("number"); }), "a text");
}

TEST(H5Files, ContainsWalksFolders) {
  const TemporaryFolder folder;
  {
    H5Writer file{folder / "file.h5"};
    file.write<float>("a/b/c", std::vector<float>{1});
    file.close();
  }
  const H5Reader file{folder / "file.h5"};
  EXPECT_TRUE(file.contains("a"));
  EXPECT_TRUE(file.contains("a/b/c"));
  EXPECT_FALSE(file.contains("a/b/c/d"));
  EXPECT_FALSE(file.contains("a/b/"));
  EXPECT_FALSE(file.contains("a/x"));
  EXPECT_FALSE(file.contains("x/b/c"));
  EXPECT_FALSE(file.contains(""));
}

TEST(H5Files, ReadErrorsNameDatasetAndRange) {
  const TemporaryFolder folder;
  std::vector<float> out(5);
  {
    H5Writer file{folder / "file.h5"};
    file.write<float>("train/x", std::vector<float>(10));
    expect_contains(data_error_of([&] { file.write<float>("train/x", out); }), "'train/x'");
    file.close();
  }
  const H5Reader file{folder / "file.h5"};
  const auto message = data_error_of([&] { file.read<float>("train/x", 6, out); });
  expect_contains(message, "'train/x'");
  expect_contains(message, "[6, 11)");
  expect_contains(data_error_of([&] { (void)file.read_all<float>("train/y"); }), "'train/y'");
}

TEST(H5Files, TellsWhatIsWrongWithAFile) {
  const TemporaryFolder folder;
  const auto open = [&](const std::string& name) {
    return data_error_of([&] { (void)H5Reader{folder / name}; });
  };
  expect_contains(open("missing.h5"), "missing.h5' does not exist");
  std::filesystem::create_directory(folder / "folder.h5");
  expect_contains(open("folder.h5"), "is a folder");
  std::ofstream{folder / "text.h5"} << "These are the generations of the heavens and of the earth";
  expect_contains(open("text.h5"), "is not an HDF5 file");
  std::ofstream{folder / "empty.h5"}.flush();
  expect_contains(open("empty.h5"), "is empty");
}

TEST(H5Files, EveryTruncationIsNoticedInSilence) {
  const TemporaryFolder folder;
  {
    H5Writer file{folder / "whole.h5"};
    file.write<std::uint32_t>("x", counting<std::uint32_t>(5000), kPacked);
    file.close();
  }
  const auto size = std::filesystem::file_size(folder / "whole.h5");
  testing::internal::CaptureStderr();
  for (std::uintmax_t keep = 8; keep < size; keep += 61) {
    std::filesystem::copy_file(folder / "whole.h5", folder / "cut.h5",
                               std::filesystem::copy_options::overwrite_existing);
    std::filesystem::resize_file(folder / "cut.h5", keep);
    const auto message = data_error_of([&] { (void)H5Reader{folder / "cut.h5"}; });
    expect_contains(message, "truncated or damaged");
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "") << "HDF5 must not print its own errors";
}

TEST(H5Files, DamagedChunkIsAReadError) {
  const TemporaryFolder folder;
  H5Writer writing{folder / "file.h5"};
  writing.write<std::uint32_t>("x", counting<std::uint32_t>(50000), kPacked);
  writing.close();
  std::fstream bytes{folder / "file.h5", std::ios::in | std::ios::out | std::ios::binary};
  const auto middle = std::filesystem::file_size(folder / "file.h5") / 2;
  bytes.seekp(static_cast<std::streamoff>(middle));
  bytes << std::string(2000, '\xff') << std::flush;
  const H5Reader file{folder / "file.h5"};
  const auto message = data_error_of([&] { (void)file.read_all<std::uint32_t>("x"); });
  expect_contains(message, "cannot read elements [0, 50000) of dataset 'x'");
}

TEST(H5Files, StorageOutsideTheFileIsRefused) {
  const TemporaryFolder folder;
  std::ofstream{folder / "secret"} << "0123456789abcdef";
  {
    const h5::Handle file{
        H5Fcreate((folder / "file.h5").c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT), H5Fclose};
    const h5::Handle creation{H5Pcreate(H5P_DATASET_CREATE), H5Pclose};
    H5Pset_external(creation.id(), (folder / "secret").c_str(), 0, 16);
    const hsize_t size = 16;
    const h5::Handle space{H5Screate_simple(1, &size, nullptr), H5Sclose};
    const h5::Handle dataset{H5Dcreate2(file.id(), "x", H5T_NATIVE_UINT8, space.id(), H5P_DEFAULT,
                                        creation.id(), H5P_DEFAULT),
                             H5Dclose};
  }
  const H5Reader file{folder / "file.h5"};
  expect_contains(data_error_of([&] { (void)file.read_all<std::uint8_t>("x"); }), "other files");
}

TEST(H5Files, UnwritablePlaceIsNamed) {
  const TemporaryFolder folder;
  const auto message = data_error_of([&] { (void)H5Writer{folder / "no/such/file.h5"}; });
  expect_contains(message, "no/such/file.h5");
  expect_contains(message, "No such file or directory");
}

/// Writes 1 MB in a process that may write files of `limit` bytes only, and prints the message of
/// the error that follows. A full disk answers write(2) in the same way, with another errno.
[[noreturn]] void write_beyond_limit(const std::filesystem::path& path, rlim_t limit,
                                     H5Layout layout) {
  std::signal(SIGXFSZ, SIG_IGN);
  const rlimit bytes{limit, limit};
  ::setrlimit(RLIMIT_FSIZE, &bytes);
  try {
    H5Writer file{path};
    // Noise, which no filter makes small.
    std::vector<std::uint32_t> noise(250000);
    std::uint32_t state = 1;
    for (auto& word : noise) word = state = state * 1664525u + 1013904223u;
    file.write<std::uint32_t>("x", noise, layout);
    file.close();
    std::fputs("no error", stderr);
  } catch (const Error& error) {
    std::fputs(error.what(), stderr);
  }
  // The library still works, here and at exit.
  H5Writer next{path};
  next.write<float>("x", std::vector<float>{1});
  next.close();
  std::exit(0);
}

TEST(H5FileDeathTest, WriteThatDoesNotFitIsAnErrorInWords) {
  const TemporaryFolder folder;
  for (const rlim_t limit : {3000u, 100000u, 600000u}) {
    for (const H5Layout layout : {H5Layout{}, H5Layout{.chunk = 50000, .deflate = 1}}) {
      EXPECT_EXIT(write_beyond_limit(folder / "limit.h5", limit, layout),
                  testing::ExitedWithCode(0), "limit.h5.*: File too large")
          << limit << " " << layout.chunk;
    }
  }
}

}  // namespace
}  // namespace ballast::storage

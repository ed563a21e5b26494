#include <algorithm>
#include <fstream>
#include <gtest/gtest.h>
#include <utility>

#include "checkpoint/check.hpp"
#include "checkpoint/extents.hpp"
#include "checkpoint/fixture.hpp"
#include "checkpoint/granule_hashes.hpp"
#include "checkpoint/read_back.hpp"
#include "storage/files.hpp"

namespace ballast::checkpoint {
namespace {

using test::data_error_of;

void flip_byte(const std::filesystem::path& path, std::size_t offset) {
  std::fstream file{path, std::ios::in | std::ios::out | std::ios::binary};
  file.seekg(static_cast<std::streamoff>(offset));
  const int byte = file.get();
  file.seekp(static_cast<std::streamoff>(offset));
  file.put(static_cast<char>(byte ^ 0x40));
}

/// Offsets of a file: all of its head, where HDF5 keeps its own data, then a coarse comb.
std::vector<std::size_t> offsets_of(std::size_t size) {
  std::vector<std::size_t> offsets;
  for (std::size_t i = 0; i < size; i += i < 2048 || i + 64 > size ? 13 : 2003)
    offsets.push_back(i);
  offsets.push_back(size - 1);
  return offsets;
}

std::string load_error(comm::Communicator& world, const std::filesystem::path& folder) {
  const model::ParameterTable table{odd_config()};
  Shards shards{table, world};
  return error_on_all_ranks(world,
                            [&] { (void)load(world, shards.layout(), folder, shards.tensors()); });
}

TEST(Damage, EveryFlippedByteIsFoundAndItsFileNamed) {
  auto& world = test::world();
  const SharedFolder folder{world};
  const auto saved = save_step(world, folder.path(), 1, 8);
  // Each rank damages its share of the files in a copy of its own: nothing here is collective.
  const auto copy = folder.path() / fmt::format("copy-{}", world.rank());
  std::filesystem::copy(saved.folder, copy);
  const model::ParameterTable table{odd_config()};
  std::vector<float> weights(table.total_granules() * kGranule);
  const auto files = names(copy);
  const auto ranks = static_cast<std::size_t>(world.size());
  for (auto i = static_cast<std::size_t>(world.rank()); i < files.size(); i += ranks) {
    for (const std::size_t offset : offsets_of(std::filesystem::file_size(copy / files[i]))) {
      flip_byte(copy / files[i], offset);
      const auto message = data_error_of([&] { load_weights_of(copy, table, weights); });
      EXPECT_NE(message.find(files[i]), std::string::npos) << "byte " << offset << ": " << message;
      flip_byte(copy / files[i], offset);
    }
  }
  EXPECT_NO_THROW(load_weights_of(copy, table, weights));
}

/// The first value of a tensor's part in the only file of a checkpoint.
void alter_value(const std::filesystem::path& file, const model::ParameterTable& table,
                 std::size_t parameter, Part part) {
  float value = 0.0f;
  storage::H5Reader{file}.read<float>(std::string{name_of(part)},
                                      table.parameters()[parameter].first_granule * kGranule,
                                      std::span{&value, 1});
  std::string bytes = storage::read_text(file);
  const std::string pattern{reinterpret_cast<const char*>(&value), sizeof(value)};
  const auto at = bytes.find(pattern);
  ASSERT_NE(at, std::string::npos);
  flip_byte(file, at);
}

TEST(Damage, TellsTheTensorAndItsElements) {
  on_ranks(1, [](comm::Communicator& world) {
    const SharedFolder folder{world};
    const auto saved = save_step(world, folder.path(), 1, 8);
    const model::ParameterTable table{odd_config()};
    for (std::size_t i = 0; i < table.parameters().size(); i += 7) {
      const auto copy = folder.path() / fmt::format("copy-{}", i);
      std::filesystem::copy(saved.folder, copy);
      alter_value(copy / shard_file_name(0, 1), table, i, kParts[i % kParts.size()]);
      const auto message = load_error(world, copy);
      EXPECT_NE(message.find("in tensor '" + table.parameters()[i].name + "', elements 0 to "),
                std::string::npos)
          << message;
    }
  });
}

TEST(Damage, IsAResultOnEveryRankAndAnUnknownFormatIsNone) {
  auto& world = test::world();
  const SharedFolder folder{world};
  const auto saved = save_step(world, folder.path(), 1, 8);
  EXPECT_TRUE(try_check(world, saved.folder).checked.has_value());
  const auto manifest = saved.folder / kManifestName;
  const std::string text = storage::read_text(manifest);
  const auto replace = [&](const std::string& by) {
    on_root(world, [&] { storage::write_text_atomically(manifest, by); });
  };
  replace("{");
  const auto broken = try_check(world, saved.folder);
  EXPECT_FALSE(broken.checked.has_value());
  EXPECT_NE(broken.damage.find("manifest.json"), std::string::npos) << broken.damage;

  replace(of_version(text, 4));
  const auto message = error_on_all_ranks(world, [&] { (void)try_check(world, saved.folder); });
  EXPECT_NE(message.find("use the newer build that wrote it"), std::string::npos) << message;
}

TEST(Damage, OneFileMissingTruncatedOrAlteredEndsAllRanksWithItsName) {
  auto& world = test::world();
  const SharedFolder folder{world};
  const auto saved = save_step(world, folder.path(), 1, 8);
  for (const auto& file : Manifest::read(saved.folder).files) {
    const auto path = saved.folder / file.name;
    const auto aside = folder.path() / "aside";
    const auto expect_error = [&](const std::string& words) {
      const auto message = load_error(world, saved.folder);
      EXPECT_NE(message.find(file.name), std::string::npos) << message;
      EXPECT_NE(message.find(words), std::string::npos) << message;
    };
    on_root(world, [&] { std::filesystem::copy_file(path, aside); });
    on_root(world, [&] { flip_byte(path, file.bytes / 2); });
    expect_error("was altered");
    on_root(world, [&] { std::filesystem::resize_file(path, file.bytes - 1); });
    expect_error(fmt::format("has {} bytes, its manifest says {}", file.bytes - 1, file.bytes));
    on_root(world, [&] { std::filesystem::resize_file(path, 0); });
    expect_error("has 0 bytes");
    on_root(world, [&] { std::filesystem::remove(path); });
    expect_error("is missing");
    on_root(world, [&] { std::filesystem::create_directory(path); });
    expect_error("cannot read");
    on_root(world, [&] {
      std::filesystem::remove(path);
      std::filesystem::rename(aside, path);
    });
  }
  expect_loads(world, saved.folder, 8);
}

TEST(Damage, MissingOrBrokenManifestIsNamedOnAllRanks) {
  auto& world = test::world();
  const SharedFolder folder{world};
  const auto saved = save_step(world, folder.path(), 1, 8);
  const auto path = saved.folder / "manifest.json";
  on_root(world, [&] { std::filesystem::resize_file(path, 200); });
  EXPECT_NE(load_error(world, saved.folder).find("manifest.json' is damaged"), std::string::npos);
  on_root(world, [&] { std::filesystem::remove(path); });
  EXPECT_NE(load_error(world, saved.folder).find("manifest.json"), std::string::npos);
}

/// Rewrites the checkpoint's manifest with another content, properly sealed.
void edit_manifest(const std::filesystem::path& folder,
                   const std::function<void(Manifest&)>& edit) {
  Manifest manifest = Manifest::read(folder);
  edit(manifest);
  storage::write_text_atomically(folder / "manifest.json", manifest.to_json());
}

TEST(Damage, AnotherStateThanTheSavedOneIsFoundByTheStateHash) {
  auto& world = test::world();
  const SharedFolder folder{world};
  const auto saved = save_step(world, folder.path(), 1, 8);
  on_root(world, [&] { edit_manifest(saved.folder, [](Manifest& m) { ++m.state.cursor; }); });
  EXPECT_NE(load_error(world, saved.folder).find("state hash"), std::string::npos);
}

TEST(Damage, TensorsInAnotherOrderOrTwiceAreRefused) {
  auto& world = test::world();
  const SharedFolder folder{world};
  const auto saved = save_step(world, folder.path(), 1, 8);
  const auto reverse = [](Manifest& m) { std::ranges::reverse(m.tensors); };
  on_root(world, [&] { edit_manifest(saved.folder, reverse); });
  EXPECT_NE(load_error(world, saved.folder).find("another order"), std::string::npos);
  on_root(world, [&] { edit_manifest(saved.folder, reverse); });
  expect_loads(world, saved.folder, 8);
  on_root(world, [&] {
    edit_manifest(saved.folder, [](Manifest& m) { m.tensors.push_back(m.tensors.back()); });
  });
  EXPECT_NE(load_error(world, saved.folder).find("twice"), std::string::npos);
}

TEST(Damage, FilesOfAnotherFormatAreRefused) {
  auto& world = test::world();
  const SharedFolder folder{world};
  const auto saved = save_step(world, folder.path(), 1, 8);
  on_root(world, [&] {
    const auto path = saved.folder / Manifest::read(saved.folder).files.back().name;
    storage::H5Writer file{path};
    file.set_attribute("format_version", Manifest::kFormatVersion + 1);
    file.close();
    edit_manifest(saved.folder, [&](Manifest& manifest) {
      manifest.files.back().bytes = std::filesystem::file_size(path);
      manifest.files.back().hash = storage::hash_file(path);
    });
  });
  const auto message = load_error(world, saved.folder);
  const auto versions = fmt::format("has format_version {}; this build reads 2 to {}",
                                    Manifest::kFormatVersion + 1, Manifest::kFormatVersion);
  EXPECT_NE(message.find(versions), std::string::npos) << message;
}

/// A file whose rows and datasets need not agree.
void write_file(const std::filesystem::path& path, const std::vector<std::uint64_t>& rows,
                std::size_t numel, std::size_t moment1_numel) {
  storage::H5Writer file{path};
  file.set_attribute("format_version", Manifest::kFormatVersion);
  file.set_attribute("granule", std::uint64_t{1024});
  file.set_attribute("trained_rows", std::uint64_t{rows.size() / 3});
  file.write<std::uint64_t>("rows", rows);
  file.write<float>("master", std::vector<float>(numel));
  file.write<float>("moment1", std::vector<float>(moment1_numel));
  file.write<float>("moment2", std::vector<float>(numel));
  file.close();
}

TEST(Damage, FilesThatContradictThemselvesAreRefused) {
  const test::TemporaryFolder folder;
  const auto path = folder / "file.h5";
  const auto expect_error = [&](const std::string& words) {
    const auto message = data_error_of([&] { ShardFile{path}; });
    EXPECT_NE(message.find("file.h5'"), std::string::npos) << message;
    EXPECT_NE(message.find(words), std::string::npos) << message;
  };
  write_file(path, {0, 0, 1}, 1024, 1024);
  EXPECT_EQ(ShardFile{path}.granules(), 1u);
  write_file(path, {0, 0}, 1024, 1024);
  expect_error("not a multiple of 3");
  constexpr auto kHalf = std::uint64_t{1} << 63;  // twice this is 0
  write_file(path, {0, 0, kHalf, 0, 0, kHalf, 0, 0, 1}, 1024, 1024);
  expect_error("fewer than its rows claim");
  write_file(path, {0, 0, 1}, 1024, 1023);
  expect_error("dataset 'moment1'");
  write_file(path, {}, 1024, 1024);
  expect_error("dataset 'master'");
}

TEST(Damage, ReadingBackFindsWhatTheDiskChanged) {
  const test::TemporaryFolder folder;
  const model::ParameterTable table{odd_config()};
  Shards shards{table, test::world()};
  const auto hashes = granule_hashes(shards.fill(1).layout(), shards.tensors());
  const auto path = folder / "file.h5";
  const auto write = [&] {
    const auto tensors = shards.tensors();
    ShardWriter writer{path, shards.layout(), tensors, {}, hashes};
    writer.write(0);
    writer.close();
  };
  const auto read_back = [&] { ReadBack{path, shards.layout(), hashes}.compare(0); };
  write();
  EXPECT_NO_THROW(read_back());
  {
    const std::vector<std::uint64_t> rows{0, 0, shards.layout().local_numel() / kGranule};
    write_file(path, rows, rows.back() * kGranule, rows.back() * kGranule);
    const auto message = data_error_of(read_back);
    EXPECT_NE(message.find("in its rows"), std::string::npos) << message;
  }
  for (const auto& segment : shards.layout().held_segments()) {
    for (const Part part : kParts) {
      float& last = shards.values(part)[segment.local_offset + segment.logical_numel - 1];
      const float value = std::exchange(last, 7.0f);
      write();
      last = value;
      const auto message = data_error_of(read_back);
      const auto& name = table.parameters()[segment.parameter].name;
      EXPECT_NE(message.find("file.h5' read back differs"), std::string::npos) << message;
      EXPECT_NE(message.find("'" + name + "'"), std::string::npos) << message;
    }
  }
}

class Rows : public testing::Test {
 protected:
  /// The error of a checkpoint of one file with these rows.
  std::string error_of(const std::vector<Row>& rows) {
    return data_error_of([&] { (void)ExtentMap(table_, {&rows, 1}, {&path_, 1}); });
  }
  [[nodiscard]] std::vector<Row> whole() const {
    std::vector<Row> rows;
    for (std::size_t i = 0; i < table_.parameters().size(); ++i) {
      rows.push_back({i, 0, table_.parameters()[i].granules()});
    }
    return rows;
  }

  model::ParameterTable table_{odd_config()};
  std::filesystem::path path_ = "run/step-1/file.h5";
};

TEST_F(Rows, MustHoldEveryGranuleOnce) {
  auto rows = whole();
  rows[2].granules -= 1;
  EXPECT_NE(error_of(rows).find("'head'"), std::string::npos) << error_of(rows);
  rows = whole();
  rows.pop_back();
  EXPECT_NE(error_of(rows).find("'block.2.w_down'"), std::string::npos) << error_of(rows);
  rows = whole();
  rows.push_back({2, 1, 1});
  EXPECT_NE(error_of(rows).find("'head' that another row holds"), std::string::npos)
      << error_of(rows);
  EXPECT_NE(error_of({}).find("'embedding'"), std::string::npos);
}

TEST_F(Rows, MustLieInTheModel) {
  constexpr auto kHuge = ~std::uint64_t{0};
  for (const Row& row : {Row{1000, 0, 1}, Row{kHuge, 0, 1}}) {
    EXPECT_NE(error_of({row}).find("lists tensor"), std::string::npos);
  }
  for (const Row& row : {Row{0, 6, 1}, Row{0, 0, 6}, Row{0, 1, kHuge}, Row{0, kHuge, 2}}) {
    EXPECT_NE(error_of({row}).find("'embedding' beyond its end"), std::string::npos);
  }
}

TEST_F(Rows, InAnyOrderAndAnyCutAreFound) {
  auto rows = whole();
  std::ranges::reverse(rows);
  const ExtentMap map{table_, {&rows, 1}, {&path_, 1}};
  const auto extents = map.find({3, 4});
  ASSERT_FALSE(extents.empty());
  std::size_t next = 3;
  for (const auto& extent : extents) {
    EXPECT_EQ(extent.granules.first, next);
    next = extent.granules.end();
  }
  EXPECT_EQ(next, 7u);
  EXPECT_TRUE(map.find({5, 0}).empty());
}

}  // namespace
}  // namespace ballast::checkpoint

#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "checkpoint/fixture.hpp"
#include "storage/files.hpp"
#include "storage/h5/reader.hpp"
#include "storage/h5/writer.hpp"

namespace ballast::checkpoint {
namespace {

using test::world;

/// Rewrites a writer's file as builds of format version 2 wrote it: all of its rows train, and
/// nothing says so.
void rewrite_as_version_2(const std::filesystem::path& path) {
  const auto older = path.string() + ".older";
  {
    const storage::H5Reader from{path};
    storage::H5Writer to{older};
    to.set_attribute("format_version", std::uint64_t{2});
    for (const char* name : {"granule", "rank", "writers", "step"}) {
      to.set_attribute(name, from.number_attribute(name));
    }
    for (const char* name : {"rows", "granule_hashes"}) {
      to.write<std::uint64_t>(name, from.read_all<std::uint64_t>(name));
    }
    for (const char* name : {"master", "moment1", "moment2"}) {
      to.write<float>(name, from.read_all<float>(name));
    }
    to.close();
  }
  std::filesystem::rename(older, path);
}

TEST(OlderFormat, ACheckpointOfVersion2StillLoads) {
  const SharedFolder folder{world()};
  const auto saved = save_step(world(), folder.path(), 2, 4);
  on_root(world(), [&] {
    Manifest manifest = Manifest::read(saved.folder);
    for (FileEntry& file : manifest.files) {
      const auto path = saved.folder / file.name;
      rewrite_as_version_2(path);
      file.bytes = std::filesystem::file_size(path);
      file.hash = storage::hash_file(path);
    }
    storage::write_text_atomically(saved.folder / kManifestName, of_version(manifest.to_json(), 2));
  });
  const Manifest manifest = expect_loads(world(), saved.folder, 4);
  EXPECT_EQ(manifest.state_hash, saved.hash);
}

TEST(OlderFormat, VersionsThatNoBuildReadsAreRefused) {
  const SharedFolder folder{world()};
  const auto saved = save_step(world(), folder.path(), 2, 4);
  const std::string text = Manifest::read(saved.folder).to_json();
  for (const std::uint64_t version : {std::uint64_t{1}, Manifest::kFormatVersion + 1}) {
    const auto message = test::data_error_of(
        [&] { (void)Manifest::parse(of_version(text, version), saved.folder / kManifestName); });
    EXPECT_NE(message.find("this build reads versions 2 to 3"), std::string::npos) << message;
  }
}

}  // namespace
}  // namespace ballast::checkpoint

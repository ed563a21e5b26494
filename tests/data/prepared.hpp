#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <gtest/gtest.h>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/dataset.hpp"
#include "data/prepare.hpp"
#include "data/tokenizers/make_tokenizer.hpp"
#include "support/temporary_folder.hpp"

namespace ballast::data {

using test::data_error_of;
using test::TemporaryFolder;

inline constexpr std::size_t kBlock = 16384;

inline void expect_contains(const std::string& text, const std::string& part) {
  EXPECT_NE(text.find(part), std::string::npos) << text;
}

inline void write_file(const std::filesystem::path& path, const std::string& text) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream{path, std::ios::binary} << text;
}

/// Words and lines that never repeat in the same order.
inline std::string prose(std::size_t bytes) {
  static constexpr std::array<std::string_view, 8> kWords{
      "light ", "darkness ", "waters,\n", "and ", "  evening ", "morning. ", "größer ", "€ "};
  std::string text;
  for (std::uint32_t state = 1; text.size() < bytes;) {
    state = state * 1664525u + 1013904223u;
    text += kWords[(state >> 20) % kWords.size()];
  }
  while ((static_cast<unsigned char>(text[bytes]) & 0xC0) == 0x80) --bytes;
  text.resize(bytes);
  return text;
}

/// The file as its segments of text, one list a split.
struct Prepared {
  explicit Prepared(const std::filesystem::path& path) : dataset{path} {
    const storage::H5Reader file{path};
    const auto tokenizer = make_tokenizer(dataset.info().tokenizer, dataset.tokenizer_model());
    for (const Split split : {Split::train, Split::validation}) {
      const std::string name{split_name(split)};
      const auto ids = file.read_all<std::int32_t>(name + "/tokens");
      const auto bounds = file.read_all<std::uint64_t>(name + "/segments");
      auto& segments = split == Split::train ? train : validation;
      for (std::size_t i = 0; i + 1 < bounds.size(); ++i) {
        segments.push_back(
            tokenizer->decode(std::span{ids}.subspan(bounds[i], bounds[i + 1] - bounds[i])));
      }
      auto& starts = split == Split::train ? train_documents : validation_documents;
      starts = file.read_all<std::uint64_t>(name + "/documents");
    }
  }
  Dataset dataset;
  std::vector<std::string> train, validation;
  std::vector<std::uint64_t> train_documents, validation_documents;
};

/// Prepares to out.h5 in a folder of its own.
class Prepare : public testing::Test {
 protected:
  PrepareSummary run(PrepareOptions options) {
    options.output = output();
    return prepare(options, {});
  }
  PrepareSummary run(const std::string& input, const std::string& tokenizer = "bytes") {
    return run({.inputs = {input}, .tokenizer = tokenizer});
  }
  std::string error(const PrepareOptions& options) {
    std::filesystem::remove(output());
    const auto message = data_error_of([&] { run(options); });
    EXPECT_FALSE(std::filesystem::exists(output())) << "nothing may be left of a failure";
    for (const auto& entry : std::filesystem::directory_iterator{folder_.path()}) {
      const auto name = entry.path().filename().string();
      EXPECT_FALSE(name.starts_with("out.h5") || name.starts_with(".ballast")) << name;
    }
    return message;
  }
  std::string error(const std::string& input, const std::string& tokenizer = "bytes") {
    return error(PrepareOptions{.inputs = {input}, .tokenizer = tokenizer});
  }
  [[nodiscard]] std::filesystem::path output() const { return folder_ / "out.h5"; }
  [[nodiscard]] std::string in(const std::string& name) const { return (folder_ / name).string(); }

  TemporaryFolder folder_;
};

}  // namespace ballast::data

#include "formats/safetensors/safetensors_writer.hpp"

#include <array>
#include <csignal>
#include <cstring>
#include <gtest/gtest.h>
#include <limits>
#include <map>
#include <random>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "formats/float_codec.hpp"
#include "formats/safetensors/made_up.hpp"
#include "formats/safetensors/safetensors_folder.hpp"
#include "formats/safetensors/safetensors_index.hpp"
#include "storage/work_folder.hpp"
#include "support/child_memory.hpp"

namespace ballast::formats {
namespace {

namespace fs = std::filesystem;

using test::bytes_of_file;
using test::code_of;
using test::data_error_of;
using test::expect_contains;
using test::some_values;
using test::TemporaryFolder;

constexpr std::array kTypes{ElementType::fp32, ElementType::bf16, ElementType::fp16};
constexpr std::uint64_t kOneFile = std::uint64_t{1} << 40;

/// Odd sizes, one of them over several pieces.
const std::vector<NamedShape> kShapes{{"w", {7, 13}},   {"norm", {1}},     {"none", {3, 0}},
                                      {"scalar", {}},   {"e", {601, 999}}, {"q", {3, 5, 2}},
                                      {"bias", {1'023}}};

std::uint64_t numel_of(const NamedShape& tensor) {
  std::uint64_t numel = 1;
  for (const auto dimension : tensor.shape) numel *= dimension;
  return numel;
}

std::vector<float> values_of(const NamedShape& tensor) {
  return some_values(numel_of(tensor), static_cast<std::uint32_t>(tensor.name.size()) + 17);
}

std::vector<float> rounded(std::vector<float> values, ElementType type) {
  std::vector<std::uint8_t> bytes(values.size() * size_of(type));
  EXPECT_FALSE(encode(type, values, bytes));
  decode(type, bytes, values);
  return values;
}

/// Cuts [0, size) at places that a seed gives, and visits the parts.
template <class Visit>
void in_ranges(std::size_t size, std::uint32_t seed, const Visit& visit) {
  std::mt19937 random{seed};
  for (std::size_t first = 0; first < size;) {
    const std::size_t count = std::min<std::size_t>(1 + random() % 300'000, size - first);
    visit(first, count);
    first += count;
  }
}

void write_whole(SafetensorsWriter& writer) {
  for (const auto& shape : kShapes) writer.write(shape.name, 0, values_of(shape));
}

std::map<std::string, std::string> contents_of(const fs::path& folder) {
  std::map<std::string, std::string> contents;
  for (const auto& entry : fs::directory_iterator{folder}) {
    contents[entry.path().filename().string()] = bytes_of_file(entry.path());
  }
  return contents;
}

/// What one process writes at once.
std::map<std::string, std::string> expected_contents(const SafetensorsPlan& plan) {
  const TemporaryFolder folder;
  create_safetensors(plan, folder.path());
  SafetensorsWriter writer{plan, folder.path()};
  write_whole(writer);
  writer.finish();
  EXPECT_EQ(writer.written(), plan.total_parameters());
  return contents_of(folder.path());
}

TEST(SafetensorsWriter, WhatIsWrittenComesBack) {
  for (const auto type : kTypes) {
    for (const std::uint64_t most_bytes : {kOneFile, std::uint64_t{4'000}}) {
      const TemporaryFolder folder;
      const SafetensorsPlan plan{kShapes, type, most_bytes};
      create_safetensors(plan, folder.path());
      SafetensorsWriter writer{plan, folder.path()};
      write_whole(writer);
      writer.finish();
      const SafetensorsFolder back{folder.path()};
      EXPECT_EQ(back.names().size(), kShapes.size());
      EXPECT_EQ(plan.files().size() > 1, most_bytes != kOneFile);
      for (const auto& shape : kShapes) {
        EXPECT_EQ(back.tensor(shape.name).shape, shape.shape);
        const auto expected = rounded(values_of(shape), type);
        std::vector<float> values(expected.size(), 7.0f);
        in_ranges(values.size(), 3, [&](std::size_t first, std::size_t count) {
          back.read(shape.name, first, std::span{values}.subspan(first, count));
        });
        EXPECT_EQ(values, expected) << shape.name << " as " << name_of(type);
      }
    }
  }
}

TEST(SafetensorsWriter, RangesGiveTheBytesOfTheWhole) {
  for (const auto type : kTypes) {
    const SafetensorsPlan plan{kShapes, type, 4'000};
    const TemporaryFolder folder;
    create_safetensors(plan, folder.path());
    SafetensorsWriter writer{plan, folder.path()};
    for (auto shape = kShapes.rbegin(); shape != kShapes.rend(); ++shape) {
      const auto values = values_of(*shape);
      in_ranges(values.size(), 5, [&](std::size_t first, std::size_t count) {
        writer.write(shape->name, first, std::span{values}.subspan(first, count));
      });
    }
    writer.finish();
    EXPECT_EQ(contents_of(folder.path()), expected_contents(plan));
  }
}

TEST(SafetensorsWriter, SeveralProcessesWriteOneModel) {
  constexpr int kProcesses = 3;
  const SafetensorsPlan plan{kShapes, ElementType::bf16, 4'000};
  const TemporaryFolder folder;
  create_safetensors(plan, folder.path());
  std::vector<pid_t> children;
  for (int process = 0; process < kProcesses; ++process) {
    children.push_back(::fork());
    if (children.back() != 0) continue;
    const SafetensorsPlan own{kShapes, ElementType::bf16, 4'000};
    SafetensorsWriter writer{own, folder.path()};
    for (const auto& shape : kShapes) {
      const auto values = values_of(shape);
      int range = 0;
      in_ranges(values.size(), 9, [&](std::size_t first, std::size_t count) {
        if (range++ % kProcesses != process) return;
        writer.write(shape.name, first, std::span{values}.subspan(first, count));
      });
    }
    writer.finish();
    std::_Exit(0);
  }
  for (const pid_t child : children) {
    int status = -1;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }
  EXPECT_EQ(contents_of(folder.path()), expected_contents(plan));
}

TEST(SafetensorsWriter, AValueBeyondTheTypeIsNamed) {
  const std::vector<NamedShape> shapes{{"w", {600'000}}};
  const SafetensorsPlan plan{shapes, ElementType::fp16, kOneFile};
  const TemporaryFolder folder;
  create_safetensors(plan, folder.path());
  SafetensorsWriter writer{plan, folder.path()};
  std::vector<float> values(560'000);
  values[4] = std::numeric_limits<float>::infinity();
  values[5] = 65'519.0f;
  writer.write("w", 11, std::span{values}.first(1000));
  values[550'000] = -70'000.0f;
  const auto message = data_error_of([&] { writer.write("w", 11, values); });
  expect_contains(message, "element 550011 of tensor 'w' is -70000, beyond what fp16 holds");
  expect_contains(message, (folder / "model.safetensors").string());
}

TEST(SafetensorsWriter, RangesStayInTheirTensor) {
  const SafetensorsPlan plan{kShapes, ElementType::fp32, kOneFile};
  const TemporaryFolder folder;
  create_safetensors(plan, folder.path());
  SafetensorsWriter writer{plan, folder.path()};
  const std::vector<float> values(3);
  writer.write("w", 88, values);
  for (const std::uint64_t first : {std::uint64_t{89}, ~std::uint64_t{0}, ~std::uint64_t{1}}) {
    EXPECT_EQ(code_of([&] { writer.write("w", first, values); }), ExitCode::internal);
  }
  EXPECT_EQ(code_of([&] { writer.write("v", 0, values); }), ExitCode::internal);
  EXPECT_EQ(writer.written(), 3u);
}

TEST(SafetensorsWriter, FilesOfAnotherPlanAreNotWritten) {
  const TemporaryFolder folder;
  const SafetensorsPlan plan{kShapes, ElementType::fp32, kOneFile};
  const SafetensorsPlan other{kShapes, ElementType::bf16, kOneFile};
  create_safetensors(plan, folder.path());
  SafetensorsWriter writer{other, folder.path()};
  for (int attempt = 0; attempt < 2; ++attempt) {
    expect_contains(data_error_of([&] { writer.write("w", 0, std::vector<float>(1)); }),
                    "give all writers one plan");
  }
  fs::remove(folder / "model.safetensors");
  expect_contains(data_error_of([&] { writer.write("w", 0, std::vector<float>(1)); }),
                  "No such file");
}

TEST(SafetensorsWriter, FilesHaveTheModeOfOtherOutputs) {
  const TemporaryFolder folder;
  const mode_t mask = ::umask(0022);
  create_safetensors(SafetensorsPlan{kShapes, ElementType::fp32, 4'000}, folder.path());
  ::umask(mask);
  for (const auto& entry : fs::directory_iterator{folder.path()}) {
    EXPECT_EQ(entry.status().permissions(), fs::perms{0644}) << entry.path();
  }
}

TEST(SafetensorsWriter, AWholeModelAppearsUnderItsName) {
  const TemporaryFolder folder;
  const SafetensorsPlan plan{kShapes, ElementType::fp16, 4'000};
  {
    storage::WorkFolder work{folder / "model"};
    const fs::path made = work.folder("model");
    create_safetensors(plan, made);
    SafetensorsWriter writer{plan, made};
    write_whole(writer);
    writer.finish();
    EXPECT_FALSE(fs::exists(folder / "model"));
    work.deliver(made);
  }
  EXPECT_EQ(contents_of(folder / "model"), expected_contents(plan));
  EXPECT_EQ(std::distance(fs::directory_iterator{folder.path()}, {}), 1);
}

/// Lets no file of this process grow beyond `bytes`, as a full disk would.
void let_files_grow_to(rlim_t bytes) {
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit limit{};
  ::getrlimit(RLIMIT_FSIZE, &limit);
  limit.rlim_cur = bytes;
  ::setrlimit(RLIMIT_FSIZE, &limit);
}

/// Writes a model into a work folder of a process whose disk is full from `bytes` on, before or
/// after its files were created, and gives the message.
std::string message_of_full_disk(const fs::path& output, rlim_t bytes, bool is_created_before) {
  const SafetensorsPlan plan{kShapes, ElementType::fp32, kOneFile};
  int pipe[2];
  EXPECT_EQ(::pipe(pipe), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    std::string message = "no error";
    try {
      storage::WorkFolder work{output};
      const fs::path made = work.folder("model");
      if (!is_created_before) let_files_grow_to(bytes);
      create_safetensors(plan, made);
      let_files_grow_to(bytes);
      SafetensorsWriter writer{plan, made};
      write_whole(writer);
      writer.finish();
      work.deliver(made);
    } catch (const Error& error) {
      message = error.what();
    }
    (void)!::write(pipe[1], message.data(), message.size());
    std::_Exit(0);
  }
  ::close(pipe[1]);
  ::waitpid(child, nullptr, 0);
  std::string message(4'096, '\0');
  const ssize_t size = ::read(pipe[0], message.data(), message.size());
  ::close(pipe[0]);
  message.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  return message;
}

TEST(SafetensorsWriter, NothingIsLeftWhereADiskRefuses) {
  const TemporaryFolder folder;
  for (const rlim_t bytes : {0u, 100u, 5'000u, 2'000'000u}) {
    for (const bool is_created_before : {true, false}) {
      const auto message = message_of_full_disk(folder / "model", bytes, is_created_before);
      expect_contains(message, "cannot write '");
      expect_contains(message, "model.safetensors'");
      expect_contains(message, "File too large");
      EXPECT_TRUE(fs::is_empty(folder.path())) << message;
    }
  }
}

TEST(SafetensorsWriter, RoomIsAskedForBeforehand) {
  const TemporaryFolder folder;
  const std::vector<NamedShape> huge{{"w", {std::uint64_t{1} << 58}}};
  const SafetensorsPlan plan{huge, ElementType::fp32, ~std::uint64_t{0}};
  expect_contains(data_error_of([&] { create_safetensors(plan, folder.path()); }), "are needed");
  EXPECT_TRUE(fs::is_empty(folder.path()));
}

}  // namespace
}  // namespace ballast::formats

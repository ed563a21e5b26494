#include "jobs/bad_input.hpp"

#include <algorithm>
#include <filesystem>
#include <gtest/gtest.h>
#include <hdf5.h>

#include "checkpoint/manifest.hpp"

namespace ballast::test {
namespace {

TEST_P(BadInput, NoInputFile) {
  expect_error(run({"prepare", "--input", folder_ + "/none.txt", "--output", folder_ + "/x.h5"}),
               kData, {"none.txt"});
}

TEST_P(BadInput, EmptyInputFile) {
  write_file(folder_ + "/empty.txt", "");
  expect_error(run({"prepare", "--input", folder_ + "/empty.txt", "--output", folder_ + "/x.h5"}),
               kData, {"empty"});
  EXPECT_FALSE(std::filesystem::exists(folder_ + "/x.h5"));
}

TEST_P(BadInput, BinaryFileForATextTokenizer) {
  write_file(folder_ + "/binary", some_text(50000) + std::string("\0\1\2", 3));
  expect_error(run({"prepare", "--input", folder_ + "/binary", "--output", folder_ + "/x.h5",
                    "--tokenizer", "sentencepiece:300"}),
               kData, {"binary", "50000"});
}

TEST_P(BadInput, InvalidUtf8ForATextTokenizerButNotForBytes) {
  write_file(folder_ + "/latin", some_text(50000) + "caf\xe9 " + some_text(50000));
  const std::vector<std::string> command{"prepare", "--input", folder_ + "/latin", "--output",
                                         folder_ + "/x.h5"};
  auto with_tokenizer = command;
  with_tokenizer.insert(with_tokenizer.end(), {"--tokenizer", "sentencepiece:300"});
  expect_error(run(with_tokenizer), kData, {"latin", "UTF-8", "50003"});
  EXPECT_EQ(run(command).exit_code, 0);
}

TEST_P(BadInput, TokenOutsideTheVocabulary) {
  const hid_t file = H5Fopen(data_.c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
  const hid_t tokens = H5Dopen2(file, "train/tokens", H5P_DEFAULT);
  std::vector<std::uint16_t> values(
      static_cast<std::size_t>(H5Sget_simple_extent_npoints(H5Dget_space(tokens))));
  H5Dread(tokens, H5T_NATIVE_UINT16, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
  std::ranges::fill(values, std::uint16_t{777});
  H5Dwrite(tokens, H5T_NATIVE_UINT16, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
  H5Dclose(tokens);
  H5Fclose(file);
  expect_error(train(), kData, {"text.h5", "block 0 of 1 of 'train/tokens'"});
}

TEST_P(BadInput, MissingDataset) {
  keys_["data.path"] = folder_ + "/none.h5";
  expect_error(train(), kData, {"none.h5"});
}

TEST_P(BadInput, TruncatedDataset) {
  std::filesystem::resize_file(data_, std::filesystem::file_size(data_) * 2 / 3);
  expect_error(train(), kData, {"text.h5", "truncated"});
}

TEST_P(BadInput, DatasetThatIsNotHdf5) {
  write_file(data_, some_text(5000));
  expect_error(train(), kData, {"text.h5", "HDF5"});
}

TEST_P(BadInput, DatasetShorterThanOneWindow) {
  keys_["data.seq_len"] = "400000";
  expect_error(train(), kData, {"text.h5", "400000"});
}

TEST_P(BadInput, HeadsThatDoNotDivideTheWidth) {
  keys_["model.heads"] = "5";
  expect_error(train(), kUsage, {"model.heads = 5"});
}

TEST_P(BadInput, KeyValueHeadsThatDoNotDivideTheHeads) {
  keys_["model.kv_heads"] = "4";
  expect_error(train(), kUsage, {"model.kv_heads = 4"});
}

TEST_P(BadInput, UnknownKey) {
  keys_["optim.learning_rte"] = "1";
  expect_error(train(), kUsage, {"optim.learning_rte"});
  keys_.erase("optim.learning_rte");
  keys_["model.dmi"] = "36";
  expect_error(train(), kUsage, {"model.dmi", "model.dim"});
}

TEST_P(BadInput, UnknownKeyInAFile) {
  write_file(folder_ + "/c.ini", "[model]\ndim = 36\nlayer = 3\n");
  expect_error(run({"train", "--config", folder_ + "/c.ini", "--data.path", data_, "--run.dir",
                    folder_ + "/run"}),
               kUsage, {"c.ini", "3", "model.layer", "model.layers"});
}

TEST_P(BadInput, WrongTypeAndOutOfRange) {
  keys_["model.layers"] = "many";
  expect_error(train(), kUsage, {"model.layers", "many"});
  keys_["model.layers"] = "0";
  expect_error(train(), kUsage, {"model.layers", "0"});
  keys_["model.layers"] = "3";
  keys_["optim.beta1"] = "1.5";
  expect_error(train(), kUsage, {"optim.beta1", "1.5"});
}

TEST_P(BadInput, BatchThatIsNotWholeLeaves) {
  keys_["data.global_batch"] = "25";
  expect_error(train(), kUsage, {"data.global_batch = 25", "data.micro_batch"});
}

TEST_P(BadInput, RunDirectoryWithCheckpointsAndNoWordOfResuming) {
  train_well();
  expect_error(train(), kUsage, {"checkpoint.resume"});
}

TEST_P(BadInput, ResumeWithAnotherModel) {
  train_well();
  keys_["model.ffn"] = "100";
  keys_["model.tie_embeddings"] = "true";
  expect_error(resume(), kData, {"model.ffn: 101 → 100", "model.tie_embeddings: false → true"});
}

TEST_P(BadInput, ResumeWithAnotherDataset) {
  train_well();
  const auto other = folder_ + "/other";
  std::filesystem::create_directory(other);
  keys_["data.path"] = make_dataset(other, 350000);
  expect_error(resume(), kData, {"data.content_hash"});
}

TEST_P(BadInput, RunDirectoryThatCannotBeMade) {
  keys_["run.dir"] = "/proc/ballast-run";
  expect_error(train(), kData, {"/proc/ballast-run"});
  keys_["run.dir"] = data_ + "/run";
  expect_error(train(), kData, {"text.h5/run"});
}

TEST_P(BadInput, AnotherRunUsesTheDirectory) {
  const std::string run_dir = keys_["run.dir"];
  std::filesystem::create_directory(run_dir);
  write_file(run_dir + "/lock", "process 4711 on node07\n");
  const auto outcome = invoke(
      train_command(keys_),
      {.launcher = fmt::format("flock '{}/lock' {} -n {}", run_dir, BALLAST_MPIRUN, GetParam())});
  expect_error(outcome, kData, {run_dir, "process 4711 on node07"});
}

TEST_P(BadInput, NoSpaceForTheCheckpoint) {
  const std::string run_dir = keys_["run.dir"];
  std::filesystem::create_directory(run_dir);
  const auto launcher = fmt::format(
      "unshare --map-root-user --mount sh -c 'mount -t tmpfs -o size=600k tmpfs \"{}\" && exec {} "
      "-n "
      "{} \"$@\"' sh",
      run_dir, BALLAST_MPIRUN, GetParam());
  expect_error(invoke(train_command(keys_), {.launcher = launcher}), kData, {run_dir, "free"});
}

TEST_P(BadInput, RunDirectoryThatSomeRankCannotSee) {
  if (GetParam() == 1) GTEST_SKIP() << "a rank alone sees what it wrote";
  std::filesystem::create_directory(keys_["run.dir"]);
  const auto launcher =
      wrapped(folder_, GetParam(),
              "if [ \"$OMPI_COMM_WORLD_RANK\" = 2 ]; then\n"
              "  exec unshare --map-root-user --mount sh -c 'mount -t tmpfs tmpfs \"" +
                  keys_["run.dir"] + "\"; exec \"$@\"' sh \"$@\"\nfi");
  expect_error(invoke(train_command(keys_), {.launcher = launcher}), kData,
               {keys_["run.dir"], "rank 2", "share"});
}

TEST_P(BadInput, CheckpointWithAMissingFile) {
  train_well();
  std::filesystem::remove(
      folder_ + fmt::format("/run/checkpoints/step-2/rank-00000-of-{:05}.h5", GetParam()));
  expect_error(resume(), kData, {"step-2/rank-00000"});
}

TEST_P(BadInput, CheckpointWithAnAlteredFile) {
  train_well();
  const auto file =
      folder_ + fmt::format("/run/checkpoints/step-2/rank-00000-of-{:05}.h5", GetParam());
  auto bytes = read_file(file);
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  write_file(file, bytes);
  expect_error(resume(), kData, {"step-2/rank-00000"});
}

TEST_P(BadInput, CheckpointOfOtherNumerics) {
  // Both matrix libraries may be told to use an old instruction set.
  const Launch old{.ranks = GetParam(),
                   .variables = {"DNNL_MAX_CPU_ISA=SSE41", "OPENBLAS_CORETYPE=Nehalem"}};
  ASSERT_EQ(invoke(train_command(keys_), old).exit_code, 0);
  expect_error(resume(), kData, {"other numerics", "checkpoint.numerics = any"});
  keys_["checkpoint.numerics"] = "any";
  EXPECT_EQ(resume().exit_code, 0);
}

TEST_P(BadInput, CheckpointWithATableThatMeansNothingHere) {
  train_well();
  const std::string step = folder_ + "/run/checkpoints/step-2";
  auto manifest = checkpoint::Manifest::read(step);
  manifest.gemm_table = "fp32 ** * * * openblas\n* ** * * * abacus\n";
  write_file(step + "/manifest.json", manifest.to_json());
  expect_error(resume(), kData,
               {step + "/manifest.json, gemm_table:2: there is no 'abacus' here",
                "checkpoint.numerics = any"});
  keys_["checkpoint.numerics"] = "any";
  EXPECT_EQ(resume().exit_code, 0);
}

TEST_P(BadInput, NoCheckpointToResumeFromOrToEvaluate) {
  keys_["checkpoint.resume"] = folder_ + "/nowhere";
  expect_error(train(), kData, {"nowhere"});
  expect_error(run({"eval", "--checkpoint", folder_ + "/nowhere"}), kData, {"nowhere"});
  expect_error(run({"generate", "--checkpoint", folder_ + "/nowhere"}), kData, {"nowhere"});
}

INSTANTIATE_TEST_SUITE_P(Ranks, BadInput, testing::Values(1, 3), ranks_name);

}  // namespace
}  // namespace ballast::test

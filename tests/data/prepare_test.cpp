#include "data/prepare.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fcntl.h>
#include <fstream>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sys/resource.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

#include "data/prepared.hpp"
#include "storage/files.hpp"

namespace ballast::data {
namespace {

TEST_F(Prepare, EveryTwentiethBlockIsHeldOut) {
  const std::string text = prose(45 * kBlock + 1234);
  write_file(in("a.txt"), text);
  const auto summary = run(in("a.txt"));
  EXPECT_EQ(summary.raw_bytes, text.size());
  EXPECT_EQ(summary.train_tokens, text.size() - 2 * kBlock);
  EXPECT_EQ(summary.validation_tokens, 2 * kBlock);
  EXPECT_EQ(summary.vocabulary, 259u);
  const Prepared prepared{output()};
  const auto blocks = [&](std::size_t first, std::size_t last) {
    return text.substr(first * kBlock, (last - first) * kBlock);
  };
  EXPECT_EQ(prepared.train, (std::vector{blocks(0, 19), blocks(20, 39), blocks(40, 46)}));
  EXPECT_EQ(prepared.validation, (std::vector{blocks(19, 20), blocks(39, 40)}));
}

TEST_F(Prepare, BlocksOfTextAreCutBetweenCharacters) {
  const std::string text = "x" + [] {
    std::string euros;
    while (euros.size() < 41 * kBlock) euros += "€";
    return euros;
  }();
  write_file(in("prose.txt"), prose(100000));
  run(in("prose.txt"), "sentencepiece:300");
  const auto model = Dataset{output()}.tokenizer_model();
  write_file(in("tokenizer.model"), {model.begin(), model.end()});
  write_file(in("a.txt"), text);
  run(in("a.txt"), in("tokenizer.model"));
  const Prepared prepared{output()};
  ASSERT_EQ(prepared.train.size(), 3u);
  ASSERT_EQ(prepared.validation.size(), 2u);
  const auto start = [](std::size_t nominal) { return nominal - (nominal - 1) % 3; };
  EXPECT_EQ(prepared.train[0], text.substr(0, start(19 * kBlock)));
  EXPECT_EQ(prepared.validation[0],
            text.substr(start(19 * kBlock), start(20 * kBlock) - start(19 * kBlock)));
  EXPECT_EQ(prepared.train[1],
            text.substr(start(20 * kBlock), start(39 * kBlock) - start(20 * kBlock)));
  EXPECT_EQ(prepared.train[0] + prepared.validation[0] + prepared.train[1] +
                prepared.validation[1] + prepared.train[2],
            text);
}

TEST_F(Prepare, CutsDoNotDependOnHowFilesArePieced) {
  const std::string text = prose(25 * kBlock + 77);
  write_file(in("whole/a.txt"), text);
  for (std::size_t i = 0, at = 0; at < text.size(); ++i) {
    std::size_t size = std::min<std::size_t>(text.size() - at, 1 + i * 5003 % 50000);
    while (at + size < text.size() && (static_cast<unsigned char>(text[at + size]) & 0xC0) == 0x80)
      ++size;
    write_file(in("parts/" + fmt::format("{:04}.txt", i)), text.substr(at, size));
    at += size;
  }
  run(in("whole"));
  const Prepared whole{output()};
  run({.inputs = {in("parts")}, .join = ""});
  const Prepared parts{output()};
  EXPECT_EQ(whole.train, parts.train);
  EXPECT_EQ(whole.validation, parts.validation);
  EXPECT_EQ(whole.dataset.info().content_hash, parts.dataset.info().content_hash);
}

TEST_F(Prepare, TailHoldsOutTheEnd) {
  const std::string text = prose(100000);
  write_file(in("a.txt"), text);
  run({.inputs = {in("a.txt")}, .split = SplitRule::tail, .validation_fraction = 0.1});
  const Prepared prepared{output()};
  const std::size_t cut =
      text.size() - static_cast<std::size_t>(std::llround(static_cast<double>(text.size()) * 0.1));
  EXPECT_EQ(prepared.train, (std::vector{text.substr(0, cut)}));
  EXPECT_EQ(prepared.validation, (std::vector{text.substr(cut)}));
  run({.inputs = {in("a.txt")}, .split = SplitRule::tail, .validation_fraction = 0});
  EXPECT_EQ(Prepared{output()}.train, (std::vector{text}));
}

TEST_F(Prepare, DocumentsAreHeldOutWholeAndTheOthersAreOneSegment) {
  for (int i = 0; i < 43; ++i) {
    write_file(in(fmt::format("docs/{:03}.txt", i)), fmt::format("document {} ", i));
  }
  write_file(in("docs/005b.txt"), "");  // empty: no document
  run({.inputs = {in("docs")}, .split = SplitRule::documents});
  const Prepared prepared{output()};
  EXPECT_EQ(prepared.validation, (std::vector<std::string>{"document 19 ", "document 39 "}));
  ASSERT_EQ(prepared.train.size(), 1u);
  EXPECT_TRUE(prepared.train[0].starts_with("document 0 document 1 "));
  EXPECT_NE(prepared.train[0].find("document 18 document 20 "), std::string::npos);
  EXPECT_TRUE(prepared.train[0].ends_with("document 38 document 40 document 41 document 42 "));
  EXPECT_EQ(prepared.train_documents.size(), 41u);
}

TEST_F(Prepare, OfFewDocumentsTheLastIsHeldOut) {
  for (const char* name : {"a", "b", "c"}) write_file(in(std::string{"docs/"} + name), name);
  run({.inputs = {in("docs")}, .split = SplitRule::documents});
  const Prepared prepared{output()};
  EXPECT_EQ(prepared.train, (std::vector<std::string>{"ab"}));
  EXPECT_EQ(prepared.validation, (std::vector<std::string>{"c"}));
}

TEST_F(Prepare, MarkedDocumentsBeginWithBos) {
  write_file(in("docs/a.txt"), "first");
  write_file(in("docs/b.txt"), "second");
  write_file(in("docs/c.txt"), "third");
  run({.inputs = {in("docs")}, .split = SplitRule::documents, .mark_documents = true});
  const Prepared prepared{output()};
  EXPECT_EQ(prepared.train_documents, (std::vector<std::uint64_t>{0, 6}));
  EXPECT_EQ(prepared.validation_documents, (std::vector<std::uint64_t>{0}));
  EXPECT_EQ(prepared.train, (std::vector<std::string>{"firstsecond"}));
  const auto tokens = storage::H5Reader{output()}.read_all<std::int32_t>("train/tokens");
  EXPECT_EQ(tokens[0], 256);
  EXPECT_EQ(tokens[6], 256);
  EXPECT_EQ(tokens.size(), 13u);
}

TEST_F(Prepare, JsonLinesBringDocumentsAndWeights) {
  write_file(in("a.jsonl"),
             "{\"text\": \"ab\", \"weight\": 0.5}\n\n{\"text\": \"c\\u00e9\", \"id\": 7}\r\n"
             "{\"text\": \"\"}\n{\"text\": \"held\", \"weight\": 0}");
  run({.inputs = {in("a.jsonl")}, .split = SplitRule::documents});
  const Prepared prepared{output()};
  EXPECT_EQ(prepared.train, (std::vector<std::string>{"abc\xC3\xA9"}));
  EXPECT_EQ(prepared.validation, (std::vector<std::string>{"held"}));
  EXPECT_EQ(storage::H5Reader{output()}.read_all<float>("train/weights"),
            (std::vector<float>{0.5f, 0.5f, 0.5f, 1, 1, 1, 1}));
  EXPECT_EQ(prepared.dataset.info().raw_bytes, 9u);

  write_file(in("plain.jsonl"), "{\"text\": \"ab\"}\n{\"text\": \"cd\", \"weight\": 1.0}");
  run(in("plain.jsonl"));
  EXPECT_FALSE(Dataset{output()}.has_weights());
}

TEST_F(Prepare, BadJsonLinesAreNamed) {
  const auto refusal = [&](const std::string& line) {
    write_file(in("a.jsonl"), "{\"text\": \"good\"}\n" + line + "\n");
    const auto message = error(in("a.jsonl"));
    expect_contains(message, "a.jsonl' line 2: ");
    return message;
  };
  expect_contains(refusal("{\"text\": \"cut"), "line 2: byte 14: this is not JSON: syntax error");
  expect_contains(refusal("[1, 2]"), "\"text\"");
  expect_contains(refusal("{\"body\": \"x\"}"), "\"text\"");
  expect_contains(refusal("{\"text\": 7}"), "\"text\"");
  expect_contains(refusal("{\"text\": \"x\", \"weight\": -1}"), "\"weight\"");
  expect_contains(refusal("{\"text\": \"x\", \"weight\": \"much\"}"), "\"weight\"");
  (void)refusal("{\"text\": \"\xFF\"}");
}

TEST_F(Prepare, FilesFoldersAndGlobsAreReadInOrderOnce) {
  write_file(in("d/b.txt"), "b");
  write_file(in("d/sub/c.txt"), "c");
  write_file(in("d/.hidden/x.txt"), "hidden");
  write_file(in("d/.dot"), "hidden");
  write_file(in("a.txt"), "a");
  const auto summary = run({.inputs = {in("d"), in("*.txt"), in("a.txt"), in("d/b.tx?")}});
  EXPECT_EQ(summary.text_files, 3u);
  const Prepared prepared{output()};
  EXPECT_EQ(prepared.train, (std::vector<std::string>{"abc"}));
  const auto sources = prepared.dataset.sources();
  const auto first = nlohmann::json::parse(sources.substr(0, sources.find('\n')));
  EXPECT_EQ(first["name"], in("a.txt"));
  EXPECT_EQ(first["bytes"], 1);
  EXPECT_EQ(first["xxh3_128"], storage::hash_file(in("a.txt")).hex());
  // The output of an earlier time is not text.
  std::filesystem::rename(output(), in("d/out.h5"));
  PrepareOptions again{.inputs = {in("d")}, .output = in("d/out.h5")};
  EXPECT_EQ(prepare(again, {}).text_files, 2u);
}

TEST_F(Prepare, PipesAndStandardInputAreReadOnce) {
  const std::string text = prose(300000);
  write_file(in("a.txt"), text);
  run(in("a.txt"), "sentencepiece:300");
  const std::string expected = Prepared{output()}.dataset.info().content_hash;

  ASSERT_EQ(::mkfifo(in("pipe").c_str(), 0600), 0);
  std::thread writer{[&] { std::ofstream{in("pipe")} << text; }};
  run(in("pipe"), "sentencepiece:300");
  writer.join();
  EXPECT_EQ(Prepared{output()}.dataset.info().content_hash, expected);

  const int kept = ::dup(STDIN_FILENO);
  const int file = ::open(in("a.txt").c_str(), O_RDONLY);
  ::dup2(file, STDIN_FILENO);
  run("-", "sentencepiece:300");
  ::dup2(kept, STDIN_FILENO);
  ::close(file);
  ::close(kept);
  const Prepared prepared{output()};
  EXPECT_EQ(prepared.dataset.info().content_hash, expected);
  expect_contains(prepared.dataset.sources(), "\"name\":\"-\"");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator{folder_.path()}, {}), 3)
      << "a.txt, pipe and out.h5: what was spooled is gone";
}

TEST_F(Prepare, SentencePieceIsTrainedOnTrainingTextAlone) {
  std::string text = prose(25 * kBlock);
  write_file(in("a.txt"), text);
  run(in("a.txt"), "sentencepiece:320");
  const auto model = Dataset{output()}.tokenizer_model();
  // Other text in the block that is held out makes no difference to the tokenizer.
  for (std::size_t i = 19 * kBlock; i < 20 * kBlock; ++i) text[i] = "Zq"[i % 2];
  write_file(in("a.txt"), text);
  run(in("a.txt"), "sentencepiece:320");
  EXPECT_EQ(Dataset{output()}.tokenizer_model(), model);
  text[100] = 'Z';
  write_file(in("a.txt"), text + prose(25 * kBlock));
  run(in("a.txt"), "sentencepiece:320");
  EXPECT_NE(Dataset{output()}.tokenizer_model(), model);
}

TEST_F(Prepare, SentencePieceKeepsEveryByteAndCountsThem) {
  std::string text = prose(30 * kBlock);
  text.insert(50000, "\xE2\x96\x81 \t\r\n <s> \xF0\x9F\x98\x80  \x01");
  write_file(in("a.txt"), text);
  run(in("a.txt"), "sentencepiece:320");
  const Prepared prepared{output()};
  EXPECT_EQ(prepared.train[0] + prepared.validation[0] + prepared.train[1], text);
  std::uint64_t bytes = 0;
  const storage::H5Reader file{output()};
  for (const char* split : {"train/tokens", "validation/tokens"}) {
    for (const auto id : file.read_all<std::uint32_t>(split)) {
      bytes += prepared.dataset.piece_bytes()[id];
    }
  }
  EXPECT_EQ(bytes, text.size());
}

TEST_F(Prepare, SentencePieceServesTextsWithoutSpacesAndSaysWhatOthersLack) {
  std::string text;
  for (int i = 0; i < 6000; ++i) text += fmt::format("{}世界。{}", i % 7 == 0 ? "你好" : "", i);
  write_file(in("a.txt"), text);
  run({.inputs = {in("a.txt")}, .tokenizer = "sentencepiece:600", .split = SplitRule::tail});
  const auto tokenizer = make_sentencepiece_tokenizer(Dataset{output()}.tokenizer_model());
  EXPECT_EQ(tokenizer->decode(tokenizer->encode("  a b ")), "  a b ");
  std::string rare;
  for (int i = 0; i < 3000; ++i) {
    const int point = 0x4E00 + i;  // a character of three bytes
    rare += {static_cast<char>(0xE0 | point >> 12), static_cast<char>(0x80 | (point >> 6 & 63)),
             static_cast<char>(0x80 | (point & 63)), ' '};
  }
  write_file(in("a.txt"), rare);
  expect_contains(error(in("a.txt"), "sentencepiece:600"), "characters of the text alone need 3");
  write_file(in("a.txt"), "one line\n");
  expect_contains(error({.inputs = {in("a.txt")},
                         .tokenizer = "sentencepiece:600",
                         .split = SplitRule::documents}),
                  "no text to train a vocabulary on");
}

TEST_F(Prepare, ATrainedModelServesAgain) {
  write_file(in("a.txt"), prose(100000));
  run(in("a.txt"), "sentencepiece:320");
  const auto first = Dataset{output()};
  const auto model = first.tokenizer_model();
  write_file(in("tokenizer.model"), {model.begin(), model.end()});
  run(in("a.txt"), in("tokenizer.model"));
  EXPECT_EQ(Dataset{output()}.info().content_hash, first.info().content_hash);
}

TEST_F(Prepare, SameInputSameFile) {
  write_file(in("a.txt"), prose(100000));
  run(in("a.txt"));
  const auto first = storage::hash_file(output());
  run(in("a.txt"));
  EXPECT_EQ(storage::hash_file(output()), first);
}

TEST_F(Prepare, OnePlainTextKeepsTheHashThatItHadInOlderVersions) {
  write_file(in("a.txt"), prose(45 * kBlock + 1234));
  const auto hash = [&](const PrepareOptions& options) {
    run(options);
    return Dataset{output()}.info().content_hash;
  };
  EXPECT_EQ(hash({.inputs = {in("a.txt")}}), "ceb340ed08e4ae2e7840f42965352252");
  EXPECT_EQ(hash({.inputs = {in("a.txt")}, .tokenizer = "sentencepiece:300"}),
            "3d8857e6e0ceaf2f31d6ebce90715ed8");
  EXPECT_EQ(hash({.inputs = {in("a.txt")}, .split = SplitRule::tail}),
            "d7f259840509edd1edba4717c717026d");
}

TEST_F(Prepare, ProgressReachesTheTotal) {
  write_file(in("a.txt"), prose(200000));
  for (const std::string tokenizer : {"bytes", "sentencepiece:300"}) {
    std::uint64_t last = 0;
    std::uint64_t total = 0;
    prepare({.inputs = {in("a.txt")}, .output = output(), .tokenizer = tokenizer},
            [&](std::uint64_t done, std::uint64_t of) {
              EXPECT_GT(done, last);
              last = done;
              total = of;
            });
    EXPECT_EQ(last, total);
    EXPECT_EQ(total % std::filesystem::file_size(in("a.txt")), 0u);
  }
}

TEST_F(Prepare, MissingAndEmptyInputsAreNamed) {
  expect_contains(error(in("missing.txt")), "no input file matches '" + in("missing.txt"));
  expect_contains(error(in("*.nothing")), "no input file matches");
  write_file(in("empty.txt"), "");
  expect_contains(error(in("empty.txt")), "empty.txt' is empty");
  write_file(in("more/empty.txt"), "");
  expect_contains(error({.inputs = {in("empty.txt"), in("more")}}), "2 input files are empty");
  std::filesystem::create_directory(in("none"));
  expect_contains(error(in("none")), "holds no files");
}

TEST_F(Prepare, BinaryAndBadUtf8AreForBytesOnly) {
  write_file(in("good.txt"), prose(70000));
  write_file(in("z.txt"), prose(70000) + "\xC3(");
  PrepareOptions options{.inputs = {in("*.txt")}, .tokenizer = "sentencepiece:300"};
  auto message = error(options);
  expect_contains(message, in("z.txt"));
  expect_contains(message, fmt::format("0xc3 at offset {}", prose(70000).size()));
  expect_contains(message, "--tokenizer bytes");
  write_file(in("z.txt"), prose(100) + "\xE2\x82");
  expect_contains(error(options), fmt::format("offset {}", prose(100).size()));
  write_file(in("z.txt"), prose(100) + std::string(1, '\0') + "x");
  message = error(options);
  expect_contains(message, "binary");
  expect_contains(message, fmt::format("offset {}", prose(100).size()));
  options.tokenizer = "bytes";
  expect_contains(error(options), "--format text");
  options.format = FormatChoice::text;
  options.join = "";
  run(options);
  EXPECT_EQ(Prepared{output()}.train[0], prose(70000) + prose(100) + std::string(1, '\0') + "x");
}

TEST_F(Prepare, BadTokenizersAndOptionsAreRefused) {
  write_file(in("a.txt"), prose(20000));
  expect_contains(error(in("a.txt"), "bpe"), "'bpe' is neither");
  write_file(in("tokenizer.model"), "no model");
  expect_contains(error(in("a.txt"), in("tokenizer.model")), "tokenizer.model': this is not");
  expect_contains(error(in("a.txt"), "sentencepiece:90000"),
                  "vocabulary of 90000: the text has pieces for ");
  const auto code = [&](const PrepareOptions& options) {
    try {
      prepare(options, {});
    } catch (const Error& error) {
      return error.code();
    }
    return ExitCode::ok;
  };
  for (const std::string vocabulary : {"", "12", "many", "300x", "-300", "99999999999999999999"}) {
    EXPECT_EQ(code({.inputs = {in("a.txt")},
                    .output = output(),
                    .tokenizer = "sentencepiece:" + vocabulary}),
              ExitCode::usage)
        << vocabulary;
  }
  for (const double fraction : {-0.1, 1.0, std::nan("")}) {
    EXPECT_EQ(code({.inputs = {in("a.txt")}, .output = output(), .validation_fraction = fraction}),
              ExitCode::usage);
  }
  EXPECT_EQ(code({.inputs = {}, .output = output()}), ExitCode::usage);
  EXPECT_EQ(code({.inputs = {in("a.txt")}, .output = folder_.path()}), ExitCode::data);
  EXPECT_EQ(code({.inputs = {in("a.txt")}, .output = in("no/such/out.h5")}), ExitCode::data);
}

TEST_F(Prepare, AFailureKeepsTheOldOutput) {
  write_file(in("a.txt"), "good text");
  run(in("a.txt"));
  const auto before = storage::hash_file(output());
  write_file(in("a.txt"), "bad \xFF");
  (void)data_error_of([&] { run(in("a.txt"), "sentencepiece:300"); });
  EXPECT_EQ(storage::hash_file(output()), before);
}

TEST_F(Prepare, InputThatChangesWhileItIsReadIsNoticed) {
  write_file(in("a.txt"), prose(400000));
  int calls = 0;
  const auto message = data_error_of([&] {
    prepare({.inputs = {in("a.txt")}, .output = output()}, [&](std::uint64_t, std::uint64_t) {
      if (++calls == 7) std::ofstream{in("a.txt"), std::ios::in | std::ios::out} << "Changed";
    });
  });
  expect_contains(message, "a.txt' changed while it was read");
}

// The address sanitizer holds freed memory back.
#ifdef __SANITIZE_ADDRESS__
constexpr std::uint64_t kGrowthMib = 600;
#else
constexpr std::uint64_t kGrowthMib = 16;
#endif

/// VmHWM, the most memory that this process has held, in MiB.
std::uint64_t peak_mib() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::uint64_t>(usage.ru_maxrss) / 1024;
}

/// Prepares the file in a process of its own and prints what its memory grew by.
[[noreturn]] void print_growth(const PrepareOptions& options, std::uint64_t limit_mib) {
  try {
    const auto before = peak_mib();
    prepare(options, {});
    const auto growth = peak_mib() - before;
    std::fprintf(stderr, growth <= limit_mib ? "within: %ju MiB" : "beyond: %ju MiB",
                 static_cast<std::uintmax_t>(growth));
  } catch (const Error& error) {
    std::fputs(error.what(), stderr);
  }
  std::_Exit(0);
}

TEST_F(Prepare, MemoryDoesNotGrowWithTheCorpus) {
  {
    const std::string piece = prose(1 << 20);
    std::ofstream file{in("large.txt"), std::ios::binary};
    for (int i = 0; i < 64; ++i) file << piece;
  }
  const PrepareOptions options{.inputs = {in("large.txt")}, .output = output()};
  EXPECT_EXIT(print_growth(options, kGrowthMib), testing::ExitedWithCode(0), "within");
  EXPECT_EQ(Dataset{output()}.info().raw_bytes, std::filesystem::file_size(in("large.txt")));
}

}  // namespace
}  // namespace ballast::data

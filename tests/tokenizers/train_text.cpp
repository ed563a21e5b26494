// train_text VOCABULARY TEXT TOKENIZER.json: trains byte-level BPE on a text; the seconds of a
// processor that it took on standard output.
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <exception>
#include <utility>

#include "data/bpe/bpe_trainer.hpp"
#include "storage/files.hpp"

namespace {

constexpr std::uint64_t kLargestInput = std::uint64_t{1} << 30;

void run(std::size_t vocabulary, const char* text_path, const char* json_path) {
  const std::string text = ballast::storage::read_text(text_path, kLargestInput);
  bool given = false;
  const std::clock_t start = std::clock();
  const std::string json = ballast::data::train_bpe(vocabulary, [&](std::string& next) {
    next = text;
    return !std::exchange(given, true);
  });
  std::printf("%.3f\n", static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC);
  ballast::storage::OutputFile file{json_path};
  file.write(json);
  file.close();
}

}  // namespace

int main(int count, char** words) {
  if (count != 4) {
    std::fputs("usage: train_text VOCABULARY TEXT TOKENIZER.json\n", stderr);
    return 2;
  }
  try {
    run(std::strtoul(words[1], nullptr, 10), words[2], words[3]);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "train_text: %s\n", error.what());
    return 1;
  }
}

// fuzz_driver CORPUS COUNT [FORMAT [SEED]]: reads the files of CORPUS/FORMAT and COUNT mutations of
// them, in a process of its own for each format. Says how many were taken, the slowest, and the
// memory; ends with 1 at the first crash or where memory is beyond its bound. The input at fault is
// left in a file.

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.hpp"
#include "base/text.hpp"

#include "fuzz/formats.hpp"
#include "fuzz/mutate.hpp"

namespace ballast::fuzz {

namespace {

namespace fs = std::filesystem;

/// Beyond the size of the input.
constexpr std::uint64_t kMostMemory = std::uint64_t{64} << 20;

struct Order {
  fs::path corpus;
  std::uint64_t mutations = 0;
  std::string format;  ///< all where it is empty
  std::uint64_t seed = 1;
};

std::uint64_t peak_memory() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
}

/// In a fixed order, so that a seed always stands for the same inputs.
std::vector<Bytes> read_corpus(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator{folder}) files.push_back(entry.path());
  std::ranges::sort(files);
  std::vector<Bytes> corpus;
  for (const auto& file : files) {
    std::ifstream stream{file, std::ios::binary};
    corpus.emplace_back(std::istreambuf_iterator<char>{stream}, std::istreambuf_iterator<char>{});
  }
  if (corpus.empty()) throw data_error("'{}' holds no inputs", folder.string());
  return corpus;
}

/// Runs the inputs of one format and counts.
class Campaign {
 public:
  explicit Campaign(const Format& format)
      : format_{&format},
        file_{fs::temp_directory_path() / fmt::format("fuzz-{}-{}", format.name, ::getpid())},
        memory_before_{peak_memory()} {}

  void run(const Bytes& input) {
    keep(input);  // a crash ends this process
    const auto start = std::chrono::steady_clock::now();
    try {
      format_->read(input);
      ++taken_;
    } catch (const Error&) {
    }
    const std::chrono::duration<double> time = std::chrono::steady_clock::now() - start;
    slowest_ = std::max(slowest_, time.count());
    largest_ = std::max<std::uint64_t>(largest_, input.size());
    ++count_;
    if (grown() > kMostMemory + largest_) {
      throw internal_error("memory has grown by {} with the input in '{}'", human_bytes(grown()),
                           file_.string());
    }
  }

  void finish() {
    fs::remove(file_);
    fmt::print("{:<18}{:>9} inputs, {:>7} taken, slowest {:6.3f} s, memory grown by {}\n",
               format_->name, count_, taken_, slowest_, human_bytes(grown()));
    std::fflush(stdout);
  }

 private:
  void keep(const Bytes& input) const {
    std::ofstream{file_, std::ios::binary | std::ios::trunc}.write(
        reinterpret_cast<const char*>(input.data()), static_cast<std::streamsize>(input.size()));
  }
  [[nodiscard]] std::uint64_t grown() const {
#ifdef __SANITIZE_ADDRESS__
    return 0;  // the sanitizer keeps what was freed
#else
    return peak_memory() - memory_before_;
#endif
  }

  const Format* format_;
  fs::path file_;
  std::uint64_t memory_before_;
  std::uint64_t count_ = 0;
  std::uint64_t taken_ = 0;
  std::uint64_t largest_ = 0;
  double slowest_ = 0.0;
};

int run_format(const Format& format, const Order& order) {
  try {
    const auto corpus = read_corpus(order.corpus / format.name);
    Campaign campaign{format};
    for (const auto& input : corpus) campaign.run(input);
    Mutator mutator{order.seed};
    for (std::uint64_t i = 0; i < order.mutations; ++i) campaign.run(mutator.next(corpus));
    campaign.finish();
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}: {}\n", format.name, error.what());
    return 1;
  }
}

/// In a process of its own: a crash is told, and memory of other formats does not count.
bool passes(const Format& format, const Order& order) {
  std::fflush(nullptr);
  const pid_t child = ::fork();
  if (child == 0) std::exit(run_format(format, order));
  int status = 0;
  if (child < 0 || ::waitpid(child, &status, 0) != child) throw internal_error("cannot fork");
  if (!WIFSIGNALED(status)) return WEXITSTATUS(status) == 0;
  fmt::print(stderr, "{}: signal {}; the input is in {}/fuzz-{}-{}\n", format.name,
             WTERMSIG(status), fs::temp_directory_path().string(), format.name, child);
  return false;
}

std::uint64_t number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) {
    throw usage_error("'{}' is no number", excerpt(text));
  }
  return value;
}

int run(std::span<const char* const> arguments) {
  if (arguments.size() < 3) throw usage_error("usage: fuzz_driver CORPUS COUNT [FORMAT [SEED]]");
  const Order order{.corpus = arguments[1],
                    .mutations = number(arguments[2]),
                    .format = arguments.size() > 3 ? arguments[3] : "",
                    .seed = arguments.size() > 4 ? number(arguments[4]) : 1};
  bool all = true;
  std::size_t tried = 0;
  for (const auto& format : formats()) {
    if (!order.format.empty() && order.format != format.name) continue;
    ++tried;
    all &= passes(format, order);
  }
  if (tried == 0) throw usage_error("there is no format '{}'", excerpt(order.format));
  return all ? 0 : 1;
}

}  // namespace

}  // namespace ballast::fuzz

int main(int count, char** arguments) {
  try {
    return ballast::fuzz::run({arguments, static_cast<std::size_t>(count)});
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 2;
  }
}

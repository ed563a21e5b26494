#include <algorithm>
#include <cstdlib>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "comm/runtime.hpp"
#include "support/watchdog.hpp"
#include "support/world.hpp"

namespace ballast::test {

namespace {

double test_timeout_s() {
  const char* text = std::getenv("BALLAST_TEST_TIMEOUT_S");
  return text == nullptr ? 60.0 : std::atof(text);
}

comm::Communicator*& world_slot() {
  static comm::Communicator* slot = nullptr;
  return slot;
}

/// What every rank but the root prints: its failures.
class FailurePrinter : public testing::EmptyTestEventListener {
 public:
  explicit FailurePrinter(std::string rank) : rank_{std::move(rank)} {}

  void OnTestPartResult(const testing::TestPartResult& result) override {
    if (!result.failed()) return;
    const char* file = result.file_name() == nullptr ? "unknown file" : result.file_name();
    fmt::print(stderr, "{}: {}:{}: Failure\n{}\n", rank_, file, result.line_number(),
               result.message());
  }

 private:
  std::string rank_;
};

/// Watches each test, and lets all ranks agree on how it ended: if it failed on one of them, or was
/// skipped on some alone, it fails on all. `agreement` is a communicator that the tests do not use;
/// `world` is theirs.
class JointTests : public testing::EmptyTestEventListener {
 public:
  JointTests(comm::Communicator& agreement, comm::Communicator& world, double timeout_s)
      : agreement_{agreement},
        world_{world},
        timeout_s_{timeout_s},
        watchdog_{agreement.label(agreement.rank()), timeout_s} {
    world_.set_timeout_s(timeout_s_ / 2);
  }

  void OnTestStart(const testing::TestInfo& test) override {
    watchdog_.watch(fmt::format("{}.{}", test.test_suite_name(), test.name()));
  }

  void OnTestEnd(const testing::TestInfo& test) override {
    watchdog_.rest();
    const bool failed = test.result()->Failed();
    // Peers of a failed rank may wait for messages that it never sent, and are given up early. Else
    // a rank that is stuck has the time to say so itself.
    agreement_.set_timeout_s(failed ? timeout_s_ / 4 : timeout_s_ + 5);
    const std::string name = fmt::format("{}.{}", test.test_suite_name(), test.name());
    const auto endings =
        agreement_.gather_texts(std::string{ending_of(*test.result())}, {"end of test", name});
    const bool alike = std::ranges::count(endings, endings.front()) == agreement_.size();
    if (alike && !failed) return;
    if (!failed) ADD_FAILURE() << describe(endings);
    world_ = agreement_.split(0);
    world_.set_timeout_s(timeout_s_ / 2);
  }

 private:
  /// One word for a test's end on this rank.
  static std::string_view ending_of(const testing::TestResult& result) {
    if (result.Failed()) return "failed";
    return result.Skipped() ? "skipped" : "passed";
  }

  /// How a test ended on the ranks where it did not pass.
  [[nodiscard]] std::string describe(const std::vector<std::string>& endings) const {
    std::string text;
    for (const std::string_view ending : {"failed", "skipped"}) {
      std::string ranks;
      for (int rank = 0; rank < agreement_.size(); ++rank) {
        if (endings[static_cast<std::size_t>(rank)] == ending)
          ranks += " " + agreement_.label(rank);
      }
      if (!ranks.empty()) text += fmt::format("{}{} on{}", text.empty() ? "" : ", ", ending, ranks);
    }
    return text;
  }

  comm::Communicator& agreement_;
  comm::Communicator& world_;
  double timeout_s_;
  Watchdog watchdog_;
};

int run_all(comm::Communicator& agreement) {
  comm::Communicator world = agreement.split(0);
  world_slot() = &world;
  auto& listeners = testing::UnitTest::GetInstance()->listeners();
  if (!agreement.is_root()) {
    delete listeners.Release(listeners.default_result_printer());
    listeners.Append(new FailurePrinter{agreement.label(agreement.rank())});
  }
  // Listeners hear of the end in reverse order: the joint verdict is in before it is printed.
  const auto joint = std::make_unique<JointTests>(agreement, world, test_timeout_s());
  listeners.Append(joint.get());
  const int failed = RUN_ALL_TESTS();
  listeners.Release(joint.get());
  world_slot() = nullptr;
  return static_cast<int>(agreement.max(failed, {"end of all tests"}));
}

}  // namespace

comm::Communicator& world() { return *world_slot(); }

}  // namespace ballast::test

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  ballast::comm::Runtime runtime{argc, argv};
  return ballast::test::run_all(runtime.world());
}

#include "base/team.hpp"

#include <array>
#include <cfenv>
#include <chrono>
#include <gtest/gtest.h>
#include <mutex>
#include <optional>
#include <sched.h>
#include <set>
#include <stdexcept>
#include <string>

#include "base/error.hpp"

namespace ballast {
namespace {

constexpr std::size_t kTeams[] = {1, 2, 3, 5};

/// How often each task was done.
std::vector<int> times_done(Team& team, std::size_t tasks) {
  std::vector<int> times(tasks, 0);
  team.run(tasks, [&](std::size_t task, std::size_t worker) {
    EXPECT_LT(worker, team.workers());
    ++times[task];
  });
  return times;
}

TEST(Team, DoesEveryTaskOnce) {
  for (const std::size_t workers : kTeams) {
    Team team{workers};
    EXPECT_EQ(team.workers(), workers);
    for (const std::size_t tasks : {0u, 1u, 2u, 3u, 7u, 1001u}) {
      EXPECT_EQ(times_done(team, tasks), std::vector<int>(tasks, 1)) << workers << ' ' << tasks;
    }
  }
}

TEST(Team, SharesTasksOut) {
  Team team{3};
  std::atomic<int> present{0};
  std::set<std::size_t> workers;
  std::mutex mutex;
  // No task ends before all three are begun, so each needs a worker of its own.
  team.run(3, [&](std::size_t, std::size_t worker) {
    ++present;
    while (present < 3) std::this_thread::yield();
    const std::lock_guard lock{mutex};
    workers.insert(worker);
  });
  EXPECT_EQ(workers, (std::set<std::size_t>{0, 1, 2}));
}

TEST(Team, RunsThousandsOfTinyJobsInOrder) {
  for (const std::size_t workers : kTeams) {
    Team team{workers};
    std::array<std::uint64_t, 3> sums{};
    for (std::uint64_t round = 1; round <= 4000; ++round) {
      const std::size_t tasks = 1 + round % 3;
      // A task that ran late, early or twice would see or leave another round's number.
      team.run(tasks, [&](std::size_t task, std::size_t) { sums[task] = sums[task] * 31 + round; });
    }
    std::array<std::uint64_t, 3> expected{};
    for (std::uint64_t round = 1; round <= 4000; ++round) {
      for (std::size_t task = 0; task <= round % 3; ++task) {
        expected[task] = expected[task] * 31 + round;
      }
    }
    EXPECT_EQ(sums, expected) << workers;
  }
}

TEST(Team, WakesWorkersThatSleep) {
  Team team{3};
  for (int i = 0; i < 3; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds{20});
    EXPECT_EQ(times_done(team, 64), std::vector<int>(64, 1));
  }
}

TEST(Team, RethrowsWhatATaskThrew) {
  for (const std::size_t workers : kTeams) {
    Team team{workers};
    for (const std::size_t bad : {0u, 4u, 8u}) {
      const auto run = [&] {
        team.run(9, [&](std::size_t task, std::size_t) {
          if (task == bad) throw std::out_of_range{"task " + std::to_string(task)};
        });
      };
      EXPECT_THROW(run(), std::out_of_range);
      EXPECT_EQ(times_done(team, 5), std::vector<int>(5, 1));
    }
  }
}

TEST(Team, RefusesToBeAskedByItsOwnTasks) {
  for (const std::size_t workers : kTeams) {
    Team team{workers};
    const auto nested = [&] {
      team.run(4, [&](std::size_t, std::size_t) { team.run(2, [](std::size_t, std::size_t) {}); });
    };
    try {
      nested();
      FAIL() << "a nested run was accepted";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::internal);
    }
    EXPECT_EQ(times_done(team, 5), std::vector<int>(5, 1));
  }
}

TEST(Team, RefusesImpossibleSizes) {
  EXPECT_THROW(Team{0}, Error);
  EXPECT_THROW(Team{Team::kMostWorkers + 1}, Error);
  EXPECT_THROW(Team{ThreadPlan{.helpers = Team::kMostHelpers + 1}}, Error);
}

TEST(Team, WorkersRoundAsTheirMakerDoes) {
  const int before = std::fegetround();
  std::fesetround(FE_UPWARD);
  std::array<int, 2> modes{};
  std::atomic<int> present{0};
  {
    Team team{2};
    team.run(2, [&](std::size_t, std::size_t worker) {
      ++present;
      while (present < 2) std::this_thread::yield();
      modes[worker] = std::fegetround();
    });
  }
  std::fesetround(before);
  EXPECT_EQ(modes, (std::array{FE_UPWARD, FE_UPWARD}));
}

/// All that this process may use.
std::vector<std::size_t> processors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  EXPECT_EQ(::sched_getaffinity(0, sizeof set, &set), 0);
  std::vector<std::size_t> allowed;
  for (std::size_t i = 0; i < CPU_SETSIZE; ++i) {
    if (CPU_ISSET(i, &set)) allowed.push_back(i);
  }
  return allowed;
}

TEST(Team, WorkersStayWhereTheyAreTold) {
  const std::size_t processor = processors().back();
  const std::vector<std::size_t> list(2, processor);
  Team team{ThreadPlan{.workers = 2, .processors = list}};
  std::atomic<int> present{0};
  std::vector<std::size_t> own;
  team.run(2, [&](std::size_t, std::size_t worker) {
    ++present;
    while (present < 2) std::this_thread::yield();
    if (worker == 1) own = processors();
  });
  EXPECT_EQ(own, std::vector{processor});
}

/// f() by the helper of a team that has one and no other worker than its caller, as soon as it
/// takes a task; the caller then waits for it in the team.
template <class F>
void run_by_helper(Team& team, F&& f) {
  for (std::atomic<bool> taken{false}; !taken;) {
    team.run(2, [&](std::size_t, std::size_t worker) {
      if (worker != 0 && !taken.exchange(true)) return f();
      for (int turn = 0; worker == 0 && turn < 100 && !taken; ++turn) std::this_thread::yield();
    });
  }
}

TEST(Team, HelpersDoWhatTheyFindToDo) {
  for (const ThreadPlan& plan : {ThreadPlan{.helpers = 1}, ThreadPlan{.helpers = 3},
                                 ThreadPlan{.workers = 2, .helpers = 2}}) {
    Team team{plan};
    EXPECT_EQ(team.workers(), plan.workers + plan.helpers);
    for (const std::size_t tasks : {0u, 1u, 2u, 3u, 1001u}) {
      for (int i = 0; i < 50; ++i) {
        ASSERT_EQ(times_done(team, tasks), std::vector<int>(tasks, 1)) << tasks;
      }
    }
  }
}

TEST(Team, HelpersStandBackWhereTheyAreTold) {
  const auto allowed = processors();
  Team team{ThreadPlan{.helpers = 1, .helper_processors = {allowed.back()}}};
  int policy = -1;
  std::vector<std::size_t> own;
  run_by_helper(team, [&] {
    policy = ::sched_getscheduler(0);
    own = processors();
  });
  EXPECT_EQ(policy, SCHED_IDLE);
  EXPECT_EQ(own, std::vector{allowed.back()});
}

TEST(Team, HelpersLookForAProcessorWhereTheirCallerMay) {
  Team team{ThreadPlan{.helpers = 1}};
  std::vector<std::size_t> own;
  run_by_helper(team, [&] { own = processors(); });
  EXPECT_EQ(own, processors());
}

/// Keeps a processor from all that stand back, while it lives.
class Busybody {
 public:
  explicit Busybody(std::size_t processor)
      : thread_{[this, processor] {
          stay_on({&processor, 1});
          present_ = true;
          while (!done_) {
          }
        }} {
    while (!present_) std::this_thread::yield();
  }
  ~Busybody() {
    done_ = true;
    thread_.join();
  }
  Busybody(const Busybody&) = delete;
  Busybody& operator=(const Busybody&) = delete;

 private:
  std::atomic<bool> present_{false};
  std::atomic<bool> done_{false};
  std::thread thread_;
};

TEST(Team, AHelperThatIsPushedOffIsCalledToWhoWaits) {
  const auto allowed = processors();
  if (allowed.size() < 2) GTEST_SKIP() << "there is one processor";
  std::thread{[&] {
    stay_on({&allowed.front(), 1});
    Team team{ThreadPlan{.helpers = 1, .helper_processors = {allowed.back()}}};
    {
      std::optional<Busybody> busybody;
      run_by_helper(team, [&] {
        busybody.emplace(allowed.back());
        // Where it began there is no place for it any more.
        while (static_cast<std::size_t>(::sched_getcpu()) != allowed.front()) {
        }
      });
    }
    int policy = -1;
    std::vector<std::size_t> own;
    run_by_helper(team, [&] {
      policy = ::sched_getscheduler(0);
      own = processors();
    });
    EXPECT_EQ(policy, SCHED_IDLE) << "it stands back again";
    EXPECT_EQ(own, std::vector{allowed.back()});
  }}.join();
}

TEST(Team, AHelperThatFindsNoProcessorAnywhereRestsForAWhile) {
  Team team{ThreadPlan{.helpers = 1}};
  // Whoever sleeps uses no processor either, whatever else the machine does.
  run_by_helper(team, [&] { std::this_thread::sleep_for(std::chrono::milliseconds{50}); });
  const auto helped = [&] {
    std::atomic<bool> by_helper{false};
    team.run(20, [&](std::size_t, std::size_t worker) {
      if (worker != 0) by_helper = true;
      std::this_thread::sleep_for(std::chrono::microseconds{1});
    });
    return by_helper.load();
  };
  int jobs_helped = 0;
  for (int job = 0; job < 500; ++job) jobs_helped += helped() ? 1 : 0;
  EXPECT_LE(jobs_helped, 1) << "on its way out of one job it may fall into the next";
  while (!helped()) {
  }
}

TEST(Team, PiecesCoverEverything) {
  Team team{3};
  for (Team* who : {static_cast<Team*>(nullptr), &team}) {
    for (const std::size_t count : {0u, 1u, 4u, 5u, 23u}) {
      std::vector<int> touched(count, 0);
      run_pieces(who, count, 5, [&](std::size_t first, std::size_t pieces) {
        for (std::size_t i = first; i < first + pieces; ++i) ++touched[i];
      });
      EXPECT_EQ(touched, std::vector<int>(count, 1)) << count;
    }
  }
}

}  // namespace
}  // namespace ballast

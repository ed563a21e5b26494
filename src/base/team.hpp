#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <memory>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/standby.hpp"

namespace ballast {

/// The threads of a team, and where they run.
struct ThreadPlan {
  std::size_t workers = 1;  ///< the caller included
  /// Worker i stays on processors[i], if there is one for each. The caller stays where it is.
  std::vector<std::size_t> processors = {};
  /// More workers, which work only while a processor would be idle: for example, while the caller
  /// of another team waits for this one.
  std::size_t helpers = 0;
  /// Where helpers look for idle processors; if empty, wherever the caller may run.
  std::vector<std::size_t> helper_processors = {};
};

/// A fixed set of workers that share the tasks of one call at a time. Worker 0 is the thread that
/// calls `run`; the others are started once, spin for a short while before the next call and then
/// sleep, so that they take no time from others between distant calls. They block all signals and
/// start with the floating-point environment of the thread that makes the team.
///
/// Any worker may do any task, so results must depend on the task alone. A team of one has no
/// threads and runs its tasks in place.
class Team {
 public:
  /// The most workers that make sense on one machine.
  static constexpr std::size_t kMostWorkers = 1024;
  static constexpr std::size_t kMostHelpers = 1024;

  explicit Team(const ThreadPlan& plan);
  explicit Team(std::size_t workers = 1) : Team{ThreadPlan{.workers = workers}} {}
  /// To be called from the thread that made the team.
  ~Team();
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;

  /// Helpers included: the numbers of workers are below this.
  [[nodiscard]] std::size_t workers() const { return threads_.size() + 1; }

  /// f(task, worker) for every task below `tasks`, each once, at most one at a time on a worker.
  /// Returns when all are done; rethrows what one of them threw, and then some tasks may not have
  /// run. Allocates nothing. Throws an internal Error when called from within a task.
  template <class F>
  void run(std::size_t tasks, F&& f) {
    using Callable = std::remove_reference_t<F>;
    const auto call = [](const void* context, std::size_t task, std::size_t worker) {
      (*static_cast<Callable*>(const_cast<void*>(context)))(task, worker);
    };
    run_job({call, std::addressof(f), tasks});
  }

 private:
  using Function = void (*)(const void* context, std::size_t task, std::size_t worker);
  struct Job {
    Function function;
    const void* context;
    std::size_t tasks;
  };

  void run_job(const Job& job);
  void share_out(const Job& job);
  /// `standby` is null unless the worker is a helper.
  void work(std::size_t worker, Standby* standby);
  void take_tasks(std::size_t worker, Standby* standby);
  void do_task(const Job& job, std::size_t task, std::size_t worker);
  void await_tasks(std::uint32_t tasks);
  bool helpers_get_on();
  void start(const ThreadPlan& plan);
  void stop();

  static constexpr std::size_t kLine = 64;  ///< apart, writers don't disturb each other's readers

  std::deque<Standby> standbys_;  ///< of the helpers
  std::vector<std::thread> threads_;
  std::exception_ptr failure_;
  std::atomic<bool> running_{false};
  std::atomic<bool> failed_{false};
  std::atomic<bool> stopping_{false};

  // The job: read by workers that may come late, and checked by their claim of a task.
  std::atomic<Function> function_{nullptr};
  std::atomic<const void*> context_{nullptr};
  std::atomic<std::size_t> tasks_{0};
  /// The round (upper half), and how many of its tasks nobody has claimed.
  alignas(kLine) std::atomic<std::uint64_t> unclaimed_{0};
  alignas(kLine) std::atomic<std::uint32_t> round_{0};
  alignas(kLine) std::atomic<std::uint32_t> finished_{0};
};

/// The number of workers; a null team stands for the caller alone.
[[nodiscard]] inline std::size_t workers_of(const Team* team) {
  return team == nullptr ? 1 : team->workers();
}

/// Team::run, or the same in place if there is no team.
template <class F>
void run_tasks(Team* team, std::size_t tasks, F&& f) {
  if (team != nullptr) return team->run(tasks, f);
  for (std::size_t task = 0; task < tasks; ++task) f(task, std::size_t{0});
}

/// f(first, count) for runs of `piece` items out of `count`, the last one shorter. The items must
/// not depend on one another: a team of one takes them all in one call.
template <class F>
void run_pieces(Team* team, std::size_t count, std::size_t piece, F&& f) {
  if (count == 0) return;
  if (workers_of(team) == 1 || count <= piece) return f(std::size_t{0}, count);
  team->run((count + piece - 1) / piece, [&](std::size_t task, std::size_t) {
    const std::size_t first = task * piece;
    f(first, std::min(piece, count - first));
  });
}

}  // namespace ballast

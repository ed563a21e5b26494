#include "base/team.hpp"

#include <csignal>
#include <pthread.h>

#include "base/error.hpp"

namespace ballast {

namespace {

/// How long to look for a change before sleeping until it comes: some ten to a hundred
/// microseconds, more than lies between two calls of a step, less than what waking up costs twice.
constexpr int kSpins = 1000;

void pause_a_moment() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

/// Looks for a while whether `value` is still `old`. Returns what it is.
std::uint32_t spin(const std::atomic<std::uint32_t>& value, std::uint32_t old) {
  for (int i = 0; i < kSpins; ++i) {
    const std::uint32_t now = value.load(std::memory_order_acquire);
    if (now != old) return now;
    pause_a_moment();
  }
  return old;
}

/// Waits until `value` is something else than `old`, and returns that.
std::uint32_t await_change(const std::atomic<std::uint32_t>& value, std::uint32_t old) {
  if (const std::uint32_t now = spin(value, old); now != old) return now;
  value.wait(old, std::memory_order_acquire);
  return value.load(std::memory_order_acquire);
}

/// Threads that start while it lives take no signals: these are the main thread's business.
class NoSignals {
 public:
  NoSignals() {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~NoSignals() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  NoSignals(const NoSignals&) = delete;
  NoSignals& operator=(const NoSignals&) = delete;

 private:
  sigset_t before_{};
};

/// Marks a team as busy while it lives.
class Busy {
 public:
  explicit Busy(std::atomic<bool>& flag) : flag_{flag} {
    if (flag_.exchange(true, std::memory_order_acquire)) {
      throw internal_error("a task of a team asked the same team to run tasks");
    }
  }
  ~Busy() { flag_.store(false, std::memory_order_release); }
  Busy(const Busy&) = delete;
  Busy& operator=(const Busy&) = delete;

 private:
  std::atomic<bool>& flag_;
};

}  // namespace

Team::Team(const ThreadPlan& plan) {
  if (plan.workers == 0 || plan.workers > kMostWorkers || plan.helpers > kMostHelpers) {
    throw internal_error("a team of {} workers and {} helpers: it takes 1 to {}, and {} at most",
                         plan.workers, plan.helpers, kMostWorkers, kMostHelpers);
  }
  try {
    start(plan);
  } catch (...) {
    stop();
    throw;
  }
}

Team::~Team() { stop(); }

void Team::start(const ThreadPlan& plan) {
  const bool pinned = plan.processors.size() >= plan.workers;
  const NoSignals no_signals;
  threads_.reserve(plan.workers + plan.helpers - 1);
  for (std::size_t worker = 1; worker < plan.workers; ++worker) {
    threads_.emplace_back([this, worker, pinned, on = pinned ? plan.processors[worker] : 0] {
      if (pinned) stay_on({&on, 1});
      work(worker, nullptr);
    });
  }
  for (std::size_t helper = 0; helper < plan.helpers; ++helper) {
    Standby& standby = standbys_.emplace_back(plan.helper_processors);
    threads_.emplace_back([this, worker = plan.workers + helper, &standby] {
      if (standby.enlist()) work(worker, &standby);
    });
  }
}

void Team::stop() {
  stopping_.store(true, std::memory_order_relaxed);
  round_.fetch_add(1);
  round_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void Team::run_job(const Job& job) {
  const Busy busy{running_};
  if (threads_.empty() || job.tasks < 2) {
    for (std::size_t task = 0; task < job.tasks; ++task) job.function(job.context, task, 0);
    return;
  }
  if (job.tasks > UINT32_MAX) throw internal_error("{} tasks are too many for a team", job.tasks);
  share_out(job);
  if (!failed_.load(std::memory_order_relaxed)) return;
  failed_.store(false, std::memory_order_relaxed);
  std::rethrow_exception(std::exchange(failure_, nullptr));
}

void Team::share_out(const Job& job) {
  finished_.store(0, std::memory_order_relaxed);
  function_.store(job.function, std::memory_order_relaxed);
  context_.store(job.context, std::memory_order_relaxed);
  tasks_.store(job.tasks, std::memory_order_relaxed);
  const std::uint32_t round = round_.load(std::memory_order_relaxed) + 1;
  unclaimed_.store(std::uint64_t{round} << 32 | job.tasks, std::memory_order_release);
  // Sequentially consistent: a thread that goes to sleep has seen it, or is seen when notified.
  round_.store(round);
  round_.notify_all();
  take_tasks(0, nullptr);
  await_tasks(static_cast<std::uint32_t>(job.tasks));
}

void Team::await_tasks(std::uint32_t tasks) {
  for (std::uint32_t done = finished_.load(std::memory_order_acquire); done != tasks;) {
    const std::uint32_t now = spin(finished_, done);
    if (now == done && !helpers_get_on()) finished_.wait(done, std::memory_order_acquire);
    done = finished_.load(std::memory_order_acquire);
  }
  for (Standby& standby : standbys_) standby.let_go(round_.load(std::memory_order_relaxed));
}

/// Whether a helper will end its task soon. Those that cannot are called to this processor, which
/// must be left to them.
bool Team::helpers_get_on() {
  bool get_on = false;
  for (Standby& standby : standbys_) get_on |= standby.poll() == Standby::State::running;
  return get_on;
}

void Team::work(std::size_t worker, Standby* standby) {
  for (std::uint32_t round = 0;;) {
    round = await_change(round_, round);
    if (stopping_.load(std::memory_order_relaxed)) return;
    if (standby == nullptr || !standby->rests(round)) take_tasks(worker, standby);
  }
}

/// A worker may come when the round is over, or even find the next job half written: then its claim
/// fails, because no task of the round that it has read was left. A claim that succeeds proves that
/// the round was still on, and so that what was read before is its job.
void Team::take_tasks(std::size_t worker, Standby* standby) {
  std::uint64_t unclaimed = unclaimed_.load(std::memory_order_acquire);
  for (;;) {
    const std::size_t left = static_cast<std::uint32_t>(unclaimed);
    if (left == 0) return;
    const Job job{function_.load(std::memory_order_relaxed),
                  context_.load(std::memory_order_relaxed), tasks_.load(std::memory_order_relaxed)};
    if (!unclaimed_.compare_exchange_weak(unclaimed, unclaimed - 1, std::memory_order_acq_rel,
                                          std::memory_order_acquire)) {
      continue;
    }
    if (standby != nullptr) standby->begin_task();
    do_task(job, job.tasks - left, worker);
    if (standby != nullptr) standby->end_task();
    unclaimed = unclaimed_.load(std::memory_order_acquire);
  }
}

void Team::do_task(const Job& job, std::size_t task, std::size_t worker) {
  try {
    if (!failed_.load(std::memory_order_relaxed)) job.function(job.context, task, worker);
  } catch (...) {
    if (!failed_.exchange(true)) failure_ = std::current_exception();
  }
  // The caller may return, and even end the team, as soon as it sees the last task counted; it
  // waits for workers to leave only in its destructor, so the notification still has an object.
  const bool is_last = finished_.fetch_add(1) + 1 == job.tasks;
  // The thread that waits for helpers watches those that are left.
  if (is_last || !standbys_.empty()) finished_.notify_one();
}

}  // namespace ballast

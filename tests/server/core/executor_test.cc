// ThreadPool: tasks run elsewhere, all of them, also at the end; and what would wait too long is refused at once.
#include "server/core/executor.h"

#include <atomic>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "absl/synchronization/blocking_counter.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace pat {
namespace {

using ::testing::ElementsAre;

// Keeps the one thread of a pool busy until it is let go.
class Occupation {
 public:
  explicit Occupation(ThreadPool& pool) {
    EXPECT_TRUE(pool.Run([this] {
      begun_.Notify();
      end_.WaitForNotification();
    }));
    begun_.WaitForNotification();
  }
  void End() { end_.Notify(); }

 private:
  absl::Notification begun_;
  absl::Notification end_;
};

TEST(ThreadPoolTest, ATaskRunsOnAnotherThread) {
  ThreadPool pool(1, 10);
  std::thread::id where;
  absl::Notification done;
  ASSERT_TRUE(pool.Run([&] {
    where = std::this_thread::get_id();
    done.Notify();
  }));
  done.WaitForNotification();
  EXPECT_NE(where, std::this_thread::get_id());
}

// The caller may hold a lock that the task takes.
TEST(ThreadPoolTest, ATaskDoesNotRunWithinTheCall) {
  ThreadPool pool(1, 10);
  absl::Mutex mutex;
  absl::Notification done;
  {
    const absl::MutexLock lock(&mutex);
    ASSERT_TRUE(pool.Run([&] {
      const absl::MutexLock lock_there(&mutex);
      done.Notify();
    }));
  }
  done.WaitForNotification();
}

TEST(ThreadPoolTest, OneThreadRunsTasksInTheirOrder) {
  std::vector<int> order;
  {
    ThreadPool pool(1, 10);
    for (int i = 0; i < 5; ++i) ASSERT_TRUE(pool.Run([&order, i] { order.push_back(i); }));
  }
  EXPECT_THAT(order, ElementsAre(0, 1, 2, 3, 4));
}

// Each waits for all the others: with a thread less this would not end.
TEST(ThreadPoolTest, AsManyTasksRunAtOnceAsThereAreThreads) {
  constexpr int kThreads = 4;
  ThreadPool pool(kThreads, 10);
  absl::BlockingCounter arrived(kThreads);
  absl::Notification all_arrived;
  absl::BlockingCounter done(kThreads);
  for (int i = 0; i < kThreads; ++i) {
    ASSERT_TRUE(pool.Run([&] {
      arrived.DecrementCount();
      all_arrived.WaitForNotification();
      done.DecrementCount();
    }));
  }
  arrived.Wait();
  all_arrived.Notify();
  done.Wait();
}

TEST(ThreadPoolTest, AFullQueueRefusesAndDropsTheTask) {
  auto pool = std::make_unique<ThreadPool>(1, 2);
  Occupation occupation(*pool);
  std::atomic<int> runs = 0;
  EXPECT_TRUE(pool->Run([&runs] { ++runs; }));
  EXPECT_TRUE(pool->Run([&runs] { ++runs; }));
  auto held = std::make_shared<int>(0);
  const std::weak_ptr<int> watch = held;
  EXPECT_FALSE(pool->Run([&runs, held = std::move(held)] { runs += 100; }));
  EXPECT_TRUE(watch.expired());
  occupation.End();
  pool.reset();
  EXPECT_EQ(runs, 2);
}

TEST(ThreadPoolTest, AfterTheQueueWasFullThereIsRoomAgain) {
  ThreadPool pool(1, 1);
  Occupation occupation(pool);
  absl::Notification ran;
  ASSERT_TRUE(pool.Run([&ran] { ran.Notify(); }));
  ASSERT_FALSE(pool.Run([] {}));
  occupation.End();
  ran.WaitForNotification();
  absl::Notification ran_again;
  EXPECT_TRUE(pool.Run([&ran_again] { ran_again.Notify(); }));
  ran_again.WaitForNotification();
}

// Somebody waits for the answer of each.
TEST(ThreadPoolTest, TheDestructorRunsWhatIsQueued) {
  constexpr int kTasks = 1000;
  std::atomic<int> runs = 0;
  auto pool = std::make_unique<ThreadPool>(1, kTasks);
  Occupation occupation(*pool);
  for (int i = 0; i < kTasks; ++i) ASSERT_TRUE(pool->Run([&runs] { ++runs; }));
  occupation.End();
  pool.reset();
  EXPECT_EQ(runs, kTasks);
}

TEST(ThreadPoolTest, ManyCallersLoseNothing) {
  constexpr int kCallers = 8;
  constexpr int kTasks = 500;
  std::atomic<int> runs = 0;
  {
    ThreadPool pool(3, kCallers * kTasks);
    std::vector<std::thread> callers;
    for (int i = 0; i < kCallers; ++i) {
      callers.emplace_back([&] {
        for (int task = 0; task < kTasks; ++task) EXPECT_TRUE(pool.Run([&runs] { ++runs; }));
      });
    }
    for (std::thread& caller : callers) caller.join();
  }
  EXPECT_EQ(runs, kCallers * kTasks);
}

}  // namespace
}  // namespace pat

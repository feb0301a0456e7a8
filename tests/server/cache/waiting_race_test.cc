// Alarms, answers, drops and callers at the same time, in threads and on the machine's clock.
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "server/cache/caching_facts_reader.h"
#include "tests/server/cache/waiting_test.h"
#include "tests/support/facts_recorder.h"

namespace pat {
namespace {

constexpr size_t kTokens = 4;

// Keeps questions until somebody has them answered.
class QueueSource final : public FactsReader {
 public:
  void Find(const TokenDigest& digest, const FindOptions& /*options*/, FactsReceiver& receiver) override {
    const absl::MutexLock lock(&mutex_);
    questions_.push_back({digest.bytes[0], &receiver});
  }

  // False: there was none.
  bool AnswerOne(bool fail) {
    Question question{};
    {
      const absl::MutexLock lock(&mutex_);
      if (questions_.empty()) return false;
      question = questions_.front();
      questions_.pop_front();
    }
    if (fail) {
      question.receiver->Receive(SourceTimedOut());
      return true;
    }
    TokenFacts facts;
    facts.uid.bytes[0] = question.token;
    facts.owner_id = "ada";
    facts.expire_time = absl::InfiniteFuture();
    question.receiver->Receive(FactsAnswer{.facts = &facts, .fresh_for = absl::InfiniteDuration()});
    return true;
  }

 private:
  struct Question {
    uint8_t token;
    FactsReceiver* receiver;
  };

  absl::Mutex mutex_;
  std::deque<Question> questions_ ABSL_GUARDED_BY(mutex_);
};

void RunRace(bool push) {
  constexpr int kCallers = 3;
  constexpr int kCalls = 3000;
  constexpr int kLeast = 10;
  const Clock clock(SystemClockSource());
  QueueSource source;
  std::atomic<CachingFactsReader*> told = nullptr;
  AlarmThread alarm(clock, [&told] { told.load()->DismissLate(); });
  CacheOptions options;
  options.ttl = absl::Milliseconds(1);
  options.load_timeout = absl::Milliseconds(20);
  options.too_late = TooLate();
  options.push = push;
  CachingFactsReader cache(source, clock, options, &alarm);
  told = &cache;

  std::atomic<int> calling = kCallers;
  std::atomic<int> good = 0;
  std::atomic<int> late = 0;
  std::vector<std::deque<FactsRecorder>> receivers(kCallers);
  std::vector<std::thread> threads;
  for (int t = 0; t < kCallers; ++t) {
    threads.emplace_back([&, t] {
      std::mt19937_64 random(t);
      // On a slow machine until both have happened.
      for (int i = 0; i < kCalls || good < kLeast || late < kLeast; ++i) {
        TokenDigest digest;
        digest.bytes[0] = static_cast<uint8_t>(random() % kTokens);
        FindOptions how;
        if (random() % 4 != 0) how.timeout = absl::Microseconds(static_cast<int64_t>(random() % 1000));
        if (random() % 8 == 0) how.max_staleness = absl::ZeroDuration();
        FactsRecorder& receiver = receivers[t].emplace_back();
        cache.Find(digest, how, receiver);
        if (random() % 8 != 0) continue;  // Several wait at a time.
        const ReceivedFacts answer = receiver.Wait();
        if (answer.status.ok()) ++good;
        if (answer.status == TooLate()) ++late;
      }
      --calling;
    });
  }
  threads.emplace_back([&] {
    std::mt19937_64 random(99);
    while (calling > 0) {
      if (random() % 4 != 0 || !source.AnswerOne(/*fail=*/random() % 2 == 0)) std::this_thread::yield();
    }
  });
  threads.emplace_back([&] {
    std::mt19937_64 random(100);
    while (calling > 0) {
      if (random() % 100 == 0) cache.Drop(TokenUid{.bytes = {static_cast<uint8_t>(random() % kTokens)}});
      if (random() % 1000 == 0) cache.DropAll();
      if (random() % 100 == 0) cache.ForgetInactive(TokenDigest{});
      std::this_thread::yield();
    }
  });
  for (std::thread& thread : threads) thread.join();
  while (source.AnswerOne(/*fail=*/false)) {
  }
  for (const auto& of_one : receivers) {
    for (const FactsRecorder& receiver : of_one) {
      receiver.Wait();
      EXPECT_EQ(receiver.times(), 1);
    }
  }
  alarm.Stop();
}

TEST(WaitingRaceTest, EverybodyIsToldOnce) { RunRace(/*push=*/false); }
TEST(WaitingRaceTest, EverybodyIsToldOnceInPushMode) { RunRace(/*push=*/true); }

}  // namespace
}  // namespace pat

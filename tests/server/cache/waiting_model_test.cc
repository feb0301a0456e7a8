// Callers of every patience and staleness, a source that comes and goes, drops, and clocks that are set: at random, by
// seed, on a clock that is moved by hand. What must hold is small enough to be said beside it:
//   - everybody is told exactly once, and not after its time;
//   - an error is told in the instant in which that time is up, or a load of that token fails, and never otherwise;
//   - a load begins only if no other one of its token is under way that would have done;
//   - while nobody waits, no alarm is set (but for one that is left over, once).
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "server/cache/caching_facts_reader.h"
#include "tests/server/cache/waiting_test.h"
#include "tests/support/fake_clock.h"

namespace pat {
namespace {

constexpr size_t kTokens = 3;
constexpr int64_t kMs = 1'000'000;

TokenDigest DigestOfToken(size_t n) {
  TokenDigest digest;
  digest.bytes[0] = static_cast<uint8_t>(n);
  return digest;
}

// Answers when it is told to: after some time, or with an error when its own time is up.
class SlowSource final : public FactsReader {
 public:
  struct Question {
    size_t token;
    Reading began;
    int64_t ends_at;
    absl::Status status;
    FactsReceiver* receiver;
  };

  SlowSource(const Clock& clock, std::mt19937_64& random) : clock_(clock), random_(random) {}

  void Find(const TokenDigest& digest, const FindOptions& options, FactsReceiver& receiver) override {
    ASSERT_EQ(options.max_staleness, absl::ZeroDuration());
    ASSERT_LE(options.timeout.value(), kLoadTimeout);
    const Reading now = clock_.Read();
    Question question{.token = digest.bytes[0], .began = now, .ends_at = 0, .status = {}, .receiver = &receiver};
    const int64_t lasts = absl::ToInt64Nanoseconds(*options.timeout);
    if (away) {
      // Now and then it gives up a little early, or at once.
      question.ends_at = now.boot_nanos + (random_() % 8 == 0 ? 0 : lasts - lasts * (random_() % 3) / 10);
      question.status = SourceTimedOut();
    } else {
      question.ends_at = now.boot_nanos + std::min<int64_t>(lasts, random_() % 20 * kMs);
    }
    ++finds;
    questions.push_back(question);
  }

  // The first that is to end.
  std::list<Question>::iterator Next() {
    return std::min_element(questions.begin(), questions.end(),
                            [](const Question& a, const Question& b) { return a.ends_at < b.ends_at; });
  }

  bool away = false;
  size_t finds = 0;
  std::list<Question> questions;

 private:
  const Clock& clock_;
  std::mt19937_64& random_;
};

class Model {
 public:
  Model(uint64_t seed, bool drops, bool any_staleness)
      : drops_(drops),
        any_staleness_(any_staleness),
        random_(seed),
        cache_(source_, clock_, WaitingCache::With({.ttl = absl::Seconds(3), .push = seed % 2 == 0}), &alarm_) {}

  void Run() {
    for (int step = 0; step < 4000 && !testing::Test::HasFatalFailure(); ++step) {
      if (random_() % 200 == 0) source_.away = !source_.away;
      if (random_() % 3 == 0) Ask();
      if (drops_ && random_() % 50 == 0) Drop();
      if (any_staleness_ && random_() % 500 == 0)
        time_.SetWall(time_.wall() + absl::Seconds(static_cast<int64_t>(random_() % 20) - 10));
      PassTime(static_cast<int64_t>(random_() % 40) * kMs);
    }
    source_.away = false;
    PassTime(10'000 * kMs);
    EXPECT_TRUE(source_.questions.empty());
    EXPECT_EQ(alarm_.at(), ManualAlarm::kNever);
    for (const Caller& caller : callers_) EXPECT_EQ(caller.times, 1);
    EXPECT_GT(good_, 0);
    EXPECT_GT(late_, 0);
    EXPECT_GT(failed_, 0);
  }

 private:
  struct Caller final : public FactsReceiver {
    Caller(Model& owner, size_t about, int64_t end) : model(owner), token(about), deadline(end) {}

    void Receive(const absl::StatusOr<FactsAnswer>& answer) override {
      ++times;
      const int64_t now = model.time_.BootNanos();
      EXPECT_LE(now, deadline);
      if (answer.ok()) {
        ++model.good_;
      } else if (answer.status() == TooLate()) {
        EXPECT_EQ(now, deadline);
        ++model.late_;
      } else {
        // Or the wall clock was set forward, and the answer of the store came too late.
        EXPECT_TRUE(answer.status() == SourceTimedOut() || model.any_staleness_) << answer.status();
        EXPECT_EQ(model.ending_, token);
        ++model.failed_;
      }
    }

    Model& model;
    const size_t token;
    const int64_t deadline;
    int times = 0;
  };

  // Whether there is a load under way that does for whoever comes now.
  bool IsLoading(size_t token, absl::Duration staleness) const {
    const Reading now = clock_.Read();
    return std::any_of(source_.questions.begin(), source_.questions.end(), [&](const SlowSource::Question& question) {
      return question.token == token && Age(question.began, now) <= staleness;
    });
  }

  void Ask() {
    const size_t token = random_() % kTokens;
    FindOptions options;
    if (any_staleness_ && random_() % 4 == 0) options.max_staleness = absl::Milliseconds(random_() % 3 * 300);
    if (random_() % 4 != 0) options.timeout = absl::Milliseconds(static_cast<int64_t>(random_() % 1500) + 1);
    const absl::Duration staleness = options.max_staleness.value_or(absl::Seconds(3));
    const absl::Duration patience = std::min(options.timeout.value_or(kLoadTimeout), kLoadTimeout);
    Caller& caller = callers_.emplace_back(*this, token, time_.BootNanos() + absl::ToInt64Nanoseconds(patience));
    const bool was_loading = staleness > absl::ZeroDuration() && IsLoading(token, staleness);
    const size_t before = source_.finds;
    cache_.Find(DigestOfToken(token), options, caller);
    // A load that a drop has overtaken does for nobody.
    if (drops_) return;
    ASSERT_LE(source_.finds - before, was_loading ? 0 : 1);
    ASSERT_LE(Under(token), MostUnder());
  }

  size_t Under(size_t token) const {
    return std::count_if(source_.questions.begin(), source_.questions.end(),
                         [token](const SlowSource::Question& question) { return question.token == token; });
  }

  size_t MostUnder() const { return any_staleness_ || drops_ ? SIZE_MAX : 1; }

  void Drop() {
    switch (random_() % 3) {
      case 0:
        return cache_.Drop(TokenUid{.bytes = {static_cast<uint8_t>(random_() % kTokens)}});
      case 1:
        return cache_.DropOwner("ada");
      default:
        return cache_.DropAll();
    }
  }

  // The alarm and the source in the order of their instants; of two in one instant either may be first.
  void PassTime(int64_t nanos) {
    const int64_t end = time_.BootNanos() + nanos;
    while (true) {
      const auto question = source_.Next();
      const int64_t answer_at = question == source_.questions.end() ? ManualAlarm::kNever : question->ends_at;
      const int64_t next = std::min(answer_at, alarm_.at());
      if (next > end) break;
      time_.Advance(absl::Nanoseconds(std::max<int64_t>(next - time_.BootNanos(), 0)));
      const bool both = answer_at == alarm_.at();
      if (answer_at > next || (both && random_() % 2 == 0)) {
        ASSERT_TRUE(alarm_.GoesOff(time_.BootNanos()));
        cache_.DismissLate();
      } else {
        Answer(question);
      }
    }
    time_.Advance(absl::Nanoseconds(end - time_.BootNanos()));
  }

  void Answer(std::list<SlowSource::Question>::iterator at) {
    const SlowSource::Question question = *at;
    source_.questions.erase(at);
    const size_t before = source_.finds;
    ending_ = question.token;
    if (!question.status.ok()) {
      question.receiver->Receive(question.status);
    } else {
      TokenFacts facts;
      facts.uid.bytes[0] = static_cast<uint8_t>(question.token);
      facts.owner_id = "ada";
      facts.expire_time = absl::InfiniteFuture();
      question.receiver->Receive(FactsAnswer{.facts = &facts, .fresh_for = absl::InfiniteDuration()});
    }
    ending_.reset();
    ASSERT_LE(source_.finds - before, 1);
    ASSERT_LE(Under(question.token), MostUnder());
  }

  const bool drops_;
  const bool any_staleness_;
  std::mt19937_64 random_;
  FakeClockSource time_;
  const Clock clock_{time_};
  ManualAlarm alarm_;
  SlowSource source_{clock_, random_};
  CachingFactsReader cache_;

  std::deque<Caller> callers_;
  std::optional<size_t> ending_;  // The token of the load that ends in this moment.
  int good_ = 0;
  int late_ = 0;
  int failed_ = 0;
};

class WaitingModelTest : public testing::TestWithParam<uint64_t> {};

TEST_P(WaitingModelTest, EverybodyIsToldOnceAndInTimeByOneLoadAtATime) {
  Model(GetParam(), /*drops=*/false, /*any_staleness=*/false).Run();
}
TEST_P(WaitingModelTest, WithStalenessALoadBeginsOnlyIfNoneDoes) {
  Model(GetParam(), /*drops=*/false, /*any_staleness=*/true).Run();
}
TEST_P(WaitingModelTest, WithDropsEverybodyIsToldOnceAndInTime) {
  Model(GetParam(), /*drops=*/true, /*any_staleness=*/true).Run();
}

INSTANTIATE_TEST_SUITE_P(Seeds, WaitingModelTest, testing::Range<uint64_t>(0, 30));

}  // namespace
}  // namespace pat

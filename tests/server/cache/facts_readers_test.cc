// What every FactsReader promises, over all of them: the store's, and caches of several times to live, alone and over
// one another. What is true of one kind only is in the tests of that kind.
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <ostream>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "server/cache/caching_facts_reader.h"
#include "server/core/error.h"
#include "server/core/facts_reader.h"
#include "tests/support/facts_recorder.h"
#include "tests/support/test_authority.h"

namespace pat {
namespace {

constexpr absl::Duration kTick = absl::Nanoseconds(1);

struct Kind {
  const char* name;

  // The times to live of the caches over the store, the lowest first.
  std::vector<absl::Duration> layers;

  // How late a revocation may be seen.
  absl::Duration lag;
};
void PrintTo(const Kind& kind, std::ostream* out) { *out << kind.name; }

class FactsReadersTest : public testing::TestWithParam<Kind> {
 protected:
  FactsReadersTest() {
    authority_.AddUser("ada");
    for (const absl::Duration ttl : GetParam().layers) {
      caches_.push_back(
          std::make_unique<CachingFactsReader>(reader(), authority_.clock, CacheOptions{.ttl = ttl, .capacity = 1000}));
    }
  }

  FactsReader& reader() {
    if (caches_.empty()) return authority_.facts;
    return *caches_.back();
  }
  absl::Time Now() const { return authority_.clock.Now(); }
  void Advance(absl::Duration duration) { authority_.time.Advance(duration); }
  ReceivedFacts Ask(const TokenDigest& digest, std::optional<absl::Duration> max_staleness = std::nullopt) {
    return pat::Ask(reader(), digest, max_staleness);
  }

  TestAuthority authority_;
  std::vector<std::unique_ptr<CachingFactsReader>> caches_;
};

TEST_P(FactsReadersTest, TellsTheFactsOfAnActiveToken) {
  CreateTokenQuery creation = authority_.GoodCreation("ada");
  creation.scopes = {"TM.Defects", "OR.Folders.Read"};
  creation.audiences = {"billing"};
  const absl::Time created = Now();
  const IssuedToken token = authority_.Issue(creation);
  Advance(absl::Seconds(1));
  const ReceivedFacts answer = Ask(token.digest);
  ASSERT_TRUE(answer.status.ok()) << answer.status;
  ASSERT_TRUE(answer.active());
  EXPECT_EQ(answer.facts->uid, token.uid);
  EXPECT_EQ(answer.facts->owner_id, "ada");
  EXPECT_EQ(answer.facts->create_time, created);
  EXPECT_EQ(answer.facts->expire_time, created + absl::Hours(24 * 30));
  EXPECT_EQ(answer.facts->scopes.ToVector(),
            (std::vector<std::string>{"OR.Folders.Read", "TM.Defects", "TM.Defects.Read"}));
  EXPECT_EQ(answer.facts->audiences, std::vector<std::string>{"billing"});
  EXPECT_EQ(answer.source, FactsSource::kStore);
}

TEST_P(FactsReadersTest, AnUnknownTokenIsInactiveAndNoError) {
  for (int i = 0; i < 3; ++i) {
    const ReceivedFacts answer = Ask(UnknownDigest(1));
    EXPECT_TRUE(answer.status.ok());
    EXPECT_FALSE(answer.active());
  }
}

TEST_P(FactsReadersTest, TellsWhenItReadAndForHowLongThatIsGood) {
  const IssuedToken token = authority_.Issue("ada");
  for (int i = 0; i < 100; ++i) {
    const absl::Time asked_at = Now();
    const ReceivedFacts answer = Ask(token.digest);
    ASSERT_TRUE(answer.active());
    EXPECT_EQ(answer.now, asked_at);
    EXPECT_LE(answer.read_time, answer.now);
    EXPECT_GE(answer.read_time, answer.now - GetParam().lag);
    EXPECT_LE(answer.fresh_until, answer.facts->expire_time);
    EXPECT_GE(answer.fresh_until, answer.read_time);
    if (!caches_.empty()) {
      EXPECT_LE(answer.fresh_until, answer.read_time + GetParam().lag);
    }
    Advance(absl::Seconds(77));
  }
}

TEST_P(FactsReadersTest, ZeroStalenessSeesARevocationAtOnce) {
  const IssuedToken token = authority_.Issue("ada");
  ASSERT_TRUE(Ask(token.digest).active());
  authority_.Revoke(token);
  Advance(kTick);
  EXPECT_FALSE(Ask(token.digest, absl::ZeroDuration()).active());
  EXPECT_FALSE(Ask(token.digest).active());  // Nor does it come back from another layer.
}

TEST_P(FactsReadersTest, ARevocationIsSeenAfterTheLagOfOneLayerHoweverManyThereAre) {
  for (int offset = 0; offset < 3; ++offset) {
    const IssuedToken token = authority_.Issue("ada");
    ASSERT_TRUE(Ask(token.digest).active());
    Advance(absl::Seconds(offset));
    authority_.Revoke(token);
    const absl::Time revoked_at = Now();
    while (Now() < revoked_at + 3 * GetParam().lag) {
      if (Ask(token.digest).active()) {
        ASSERT_LE(Now() - revoked_at, GetParam().lag);
      }
      Advance(absl::Seconds(1));
    }
    Advance(kTick);
    EXPECT_FALSE(Ask(token.digest).active());
  }
}

TEST_P(FactsReadersTest, KeepsToTheStalenessAskedFor) {
  const IssuedToken token = authority_.Issue("ada");
  std::mt19937_64 random(1);
  for (int i = 0; i < 2000; ++i) {
    const absl::Duration staleness = absl::Seconds(static_cast<int64_t>(random() % 4000));
    const ReceivedFacts answer = Ask(token.digest, staleness);
    ASSERT_TRUE(answer.active());
    ASSERT_GE(answer.read_time, Now() - staleness);
    Advance(absl::Seconds(static_cast<int64_t>(random() % 300)));
  }
}

TEST_P(FactsReadersTest, ATokenIsActiveUntilItsExpiryAndNotInThatInstant) {
  CreateTokenQuery creation = authority_.GoodCreation("ada");
  creation.expiration = RequestedDuration{.seconds = 30};
  const IssuedToken token = authority_.Issue(creation);
  ASSERT_TRUE(Ask(token.digest).active());
  Advance(absl::Seconds(30) - kTick);
  EXPECT_TRUE(Ask(token.digest).active());
  Advance(kTick);
  EXPECT_FALSE(Ask(token.digest).active());
}

TEST_P(FactsReadersTest, AFailingStoreIsUnavailableAndItsTextStaysInside) {
  const IssuedToken token = authority_.Issue("ada");
  for (const absl::Status& failure :
       {absl::UnavailableError("IO error: /data/db/000042.sst"), absl::DataLossError("IO error: /data/db/000042.sst"),
        absl::ResourceExhaustedError("IO error: /data/db/000042.sst")}) {
    authority_.store.FailReadsWith(failure);
    const ReceivedFacts answer = Ask(token.digest);
    EXPECT_EQ(answer.status.code(), absl::StatusCode::kUnavailable);
    EXPECT_FALSE(absl::StrContains(answer.status.ToString(), "000042")) << answer.status;
    const std::optional<ErrorDetails> details = DetailsOf(answer.status);
    ASSERT_TRUE(details.has_value());
    EXPECT_EQ(details->reason, "STORE_UNAVAILABLE");
    EXPECT_TRUE(details->retry_delay.has_value());
  }
  authority_.store.FailReadsWith(absl::OkStatus());
  EXPECT_TRUE(Ask(token.digest).active());
}

TEST_P(FactsReadersTest, AnswersLaterIfTheStoreHasToReadADisk) {
  const IssuedToken token = authority_.Issue("ada");
  authority_.store.PutOnDisk();
  const absl::Time asked_at = Now();
  FactsRecorder receiver;
  reader().Find(token.digest, {}, receiver);
  EXPECT_FALSE(receiver.done());
  EXPECT_EQ(authority_.executor.waiting(), 1);
  Advance(absl::Seconds(2));
  authority_.executor.RunAll();
  EXPECT_EQ(receiver.times(), 1);
  EXPECT_TRUE(receiver.Wait().active());
  EXPECT_EQ(receiver.Wait().read_time, asked_at);
  EXPECT_EQ(receiver.Wait().now, asked_at + absl::Seconds(2));
}

// Deletes itself as soon as it is told, as calls of a server do.
class SelfDeletingReceiver final : public FactsReceiver {
 public:
  explicit SelfDeletingReceiver(std::vector<std::string>& owners) : owners_(owners) {}
  ~SelfDeletingReceiver() { owners_.emplace_back("deleted"); }

  void Receive(const absl::StatusOr<FactsAnswer>& answer) override {
    owners_.push_back(answer.ok() && answer->facts != nullptr ? answer->facts->owner_id : "nobody");
    delete this;
  }

 private:
  std::vector<std::string>& owners_;
};

TEST_P(FactsReadersTest, DoesNotTouchAReceiverThatWasTold) {
  const IssuedToken token = authority_.Issue("ada");
  std::vector<std::string> owners;
  reader().Find(token.digest, {}, *new SelfDeletingReceiver(owners));
  reader().Find(token.digest, {}, *new SelfDeletingReceiver(owners));
  reader().Find(UnknownDigest(1), {}, *new SelfDeletingReceiver(owners));
  authority_.store.FailReadsWith(absl::UnavailableError("down"));
  reader().Find(token.digest, {.max_staleness = absl::ZeroDuration()}, *new SelfDeletingReceiver(owners));
  EXPECT_EQ(owners,
            (std::vector<std::string>{"ada", "deleted", "ada", "deleted", "nobody", "deleted", "nobody", "deleted"}));
}

// Asks again until it was told five times.
class PersistentReceiver final : public FactsReceiver {
 public:
  PersistentReceiver(FactsReader& reader, const TokenDigest& digest) : reader_(reader), digest_(digest) {}
  void Receive(const absl::StatusOr<FactsAnswer>& answer) override {
    EXPECT_TRUE(answer.ok());
    if (++told < 5) reader_.Find(digest_, {.max_staleness = absl::Seconds(told % 2)}, *this);
  }

  int told = 0;

 private:
  FactsReader& reader_;
  const TokenDigest digest_;
};

TEST_P(FactsReadersTest, AReceiverMayAskAgain) {
  const IssuedToken token = authority_.Issue("ada");
  for (const TokenDigest& digest : {token.digest, UnknownDigest(1)}) {
    PersistentReceiver receiver(reader(), digest);
    reader().Find(digest, {}, receiver);
    EXPECT_EQ(receiver.told, 5);
  }
}

TEST_P(FactsReadersTest, AnswersManyThreadsEachWithItsOwn) {
  std::vector<IssuedToken> tokens;
  for (int i = 0; i < 20; ++i) tokens.push_back(authority_.Issue("ada"));
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int seed = 0; seed < 4; ++seed) {
    threads.emplace_back([&, seed] {
      std::mt19937_64 random(seed);
      for (int i = 0; i < 2000; ++i) {
        const size_t n = random() % (tokens.size() + 1);
        const TokenDigest digest = n < tokens.size() ? tokens[n].digest : UnknownDigest(random() % 50);
        const ReceivedFacts answer = Ask(digest, absl::Microseconds(static_cast<int64_t>(random() % 10'000)));
        const bool right = answer.status.ok() && answer.active() == (n < tokens.size()) &&
                           (!answer.active() || answer.facts->uid == tokens[n].uid);
        if (!right) wrong.fetch_add(1);
        Advance(absl::Microseconds(static_cast<int64_t>(random() % 10)));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

INSTANTIATE_TEST_SUITE_P(
    All, FactsReadersTest,
    testing::Values(Kind{"Store", {}, absl::ZeroDuration()},
                    Kind{"CacheWithoutTtl", {absl::ZeroDuration()}, absl::ZeroDuration()},
                    Kind{"Cache", {absl::Hours(1)}, absl::Hours(1)},
                    Kind{"CacheOverCache", {absl::Hours(1), absl::Hours(1)}, absl::Hours(1)},
                    Kind{"ThreeCaches", {absl::Hours(1), absl::Hours(1), absl::Hours(1)}, absl::Hours(1)},
                    Kind{"ShortOverLong", {absl::Hours(1), absl::Minutes(1)}, absl::Minutes(1)},
                    Kind{"LongOverShort", {absl::Minutes(1), absl::Hours(1)}, absl::Minutes(1)},
                    Kind{"CacheOverCacheWithoutTtl", {absl::ZeroDuration(), absl::Hours(1)}, absl::ZeroDuration()}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace pat

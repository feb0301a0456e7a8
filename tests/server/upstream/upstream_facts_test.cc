// Over real gRPC and real sockets. Deadlines of gRPC are in real time, so stories of time are few and short here;
// those of hours are in layers_test.cc.
#include "server/upstream/upstream_facts.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "gtest/gtest.h"
#include "server/cache/caching_facts_reader.h"
#include "server/rpc/status_mapping.h"
#include "tests/server/upstream/upstream_facts_test.h"
#include "tests/support/facts_recorder.h"
#include "tests/support/fake_authority.h"
#include "tests/support/refusal.h"
#include "tests/support/test_authority.h"

namespace pat {
namespace {

class CountingObserver final : public UpstreamObserver {
 public:
  void OnAnotherStore() override {
    if (on_another_store) on_another_store();
    ++other_stores;
  }
  void OnAnswer(UpstreamCall call) override {
    EXPECT_EQ(call, UpstreamCall::kFacts);
    ++answers;
  }
  void OnFailure(UpstreamCall call, absl::string_view /*text*/) override {
    EXPECT_EQ(call, UpstreamCall::kFacts);
    ++failures;
  }

  std::function<void()> on_another_store;
  std::atomic<int> other_stores = 0;
  std::atomic<int> answers = 0;
  std::atomic<int> failures = 0;
};

class UpstreamFactsTest : public testing::Test, protected UpstreamParts {
 protected:
  ReceivedFacts AskFor(const TokenDigest& digest, absl::Duration timeout) {
    FactsRecorder recorder;
    upstream_.Find(digest, {.timeout = timeout}, recorder);
    return recorder.Wait();
  }

  CountingObserver observer_;
  std::unique_ptr<AuthorityChannels> channels_ = ChannelsTo({server_.address()});
  UpstreamFacts upstream_{*channels_, clock_, observer_, kImpatient};
};

TEST_F(UpstreamFactsTest, TellsTheFactsOfAnActiveToken) {
  CreateTokenQuery creation = authority_.GoodCreation("ada");
  creation.scopes = {"TM.Defects", "OR.Folders.Read"};
  creation.audiences = {"billing"};
  const IssuedToken token = authority_.Issue(creation);
  const ReceivedFacts answer = Ask(upstream_, token.digest);
  ASSERT_TRUE(answer.active()) << answer.status;
  EXPECT_EQ(answer.facts->uid, token.uid);
  EXPECT_EQ(answer.facts->owner_id, "ada");
  EXPECT_EQ(answer.facts->expire_time, authority_.clock.Now() + absl::Hours(24 * 30));
  EXPECT_EQ(answer.facts->scopes.ToVector(),
            (std::vector<std::string>{"OR.Folders.Read", "TM.Defects", "TM.Defects.Read"}));
  EXPECT_EQ(answer.facts->audiences, std::vector<std::string>{"billing"});
  EXPECT_EQ(answer.source, FactsSource::kStore);
  EXPECT_EQ(answer.now, clock_.Now());  // Of this machine.
  EXPECT_EQ(answer.read_time, clock_.Now());
  EXPECT_EQ(observer_.answers, 1);
}

TEST_F(UpstreamFactsTest, AnUnknownTokenIsInactiveAndNoError) {
  const ReceivedFacts answer = Ask(upstream_, UnknownDigest(1));
  EXPECT_TRUE(answer.status.ok());
  EXPECT_FALSE(answer.active());
}

TEST_F(UpstreamFactsTest, FreshForIsTheAuthoritys) {
  CachingFactsReader lower(authority_.facts, authority_.clock, {.ttl = absl::Seconds(90)});
  FakeAuthority server(lower, authority_.clock);
  const auto channels = ChannelsTo({server.address()});
  UpstreamFacts upstream(*channels, clock_, observer_, kImpatient);
  EXPECT_EQ(Ask(upstream, authority_.Issue("ada").digest).fresh_for, absl::Seconds(90));
}

TEST_F(UpstreamFactsTest, SendsTheDigestAndThatTheStoreIsToBeReadAndNothingElse) {
  const IssuedToken token = authority_.Issue("ada");
  FactsRecorder recorder;
  upstream_.Find(token.digest, {.max_staleness = absl::Hours(1)}, recorder);
  ASSERT_TRUE(recorder.Wait().active());
  v1::IntrospectRequest expected;
  expected.set_token_sha256(token.digest.bytes.data(), token.digest.bytes.size());
  expected.mutable_max_staleness();
  ASSERT_EQ(server_.introspections(), 1);
  EXPECT_EQ(server_.requests()[0].SerializeAsString(), expected.SerializeAsString());
  EXPECT_EQ(expected.SerializeAsString().find(token.secret), std::string::npos);
}

TEST_F(UpstreamFactsTest, AnAnswerThatMakesNoSenseIsUnavailable) {
  const IssuedToken token = authority_.Issue("ada");
  server_.AfterIntrospect([](auto&, auto&, v1::IntrospectResponse& response) {
    response.clear_jti();
    return grpc::Status::OK;
  });
  ExpectRefusal(Ask(upstream_, token.digest).status, absl::StatusCode::kUnavailable, "AUTHORITY_UNAVAILABLE");
  EXPECT_EQ(server_.introspections(), 1);  // It is not asked again for that.
  EXPECT_EQ(observer_.failures, 1);
  EXPECT_EQ(observer_.answers, 0);
}

TEST_F(UpstreamFactsTest, AnAnswerThatIsTooLargeIsUnavailable) {
  const IssuedToken token = authority_.Issue("ada");
  server_.AfterIntrospect([](auto&, auto&, v1::IntrospectResponse& response) {
    response.set_iss(std::string(300'000, 'a'));
    return grpc::Status::OK;
  });
  ExpectRefusal(Ask(upstream_, token.digest).status, absl::StatusCode::kUnavailable, "AUTHORITY_UNAVAILABLE");
}

// ---- Failing, and trying again.

TEST_F(UpstreamFactsTest, IsAskedAgainWhileItIsUnavailable) {
  const IssuedToken token = authority_.Issue("ada");
  std::atomic<int> failing = 3;
  server_.BeforeIntrospect([&failing](auto&, auto&, auto&) {
    if (failing.fetch_sub(1) > 0) return grpc::Status(grpc::StatusCode::UNAVAILABLE, "going away");
    return grpc::Status::OK;
  });
  EXPECT_TRUE(Ask(upstream_, token.digest).active());
  EXPECT_EQ(server_.introspections(), 4);
  EXPECT_EQ(observer_.failures, 3);
}

TEST_F(UpstreamFactsTest, IsAskedAgainForNothingElse) {
  const IssuedToken token = authority_.Issue("ada");
  for (const auto code :
       {grpc::StatusCode::INTERNAL, grpc::StatusCode::UNKNOWN, grpc::StatusCode::PERMISSION_DENIED,
        grpc::StatusCode::UNAUTHENTICATED, grpc::StatusCode::RESOURCE_EXHAUSTED, grpc::StatusCode::ABORTED,
        grpc::StatusCode::INVALID_ARGUMENT, grpc::StatusCode::UNIMPLEMENTED, grpc::StatusCode::CANCELLED}) {
    const size_t before = server_.introspections();
    server_.BeforeIntrospect([code](auto&, auto&, auto&) { return grpc::Status(code, "secret text of a library"); });
    const absl::Status status = Ask(upstream_, token.digest).status;
    ExpectRefusal(status, absl::StatusCode::kUnavailable, "AUTHORITY_UNAVAILABLE");
    EXPECT_FALSE(absl::StrContains(status.message(), "library"));
    EXPECT_EQ(server_.introspections(), before + 1) << code;
  }
}

TEST_F(UpstreamFactsTest, ThatTheAuthorityHasTooMuchToDoIsPassedOn) {
  server_.BeforeIntrospect([](auto&, auto&, auto&) {
    return ToGrpcStatus(MakeError(absl::StatusCode::kResourceExhausted, "too many",
                                  {.reason = "RATE_LIMITED", .retry_delay = absl::Seconds(2)}));
  });
  EXPECT_EQ(ExpectRefusal(Ask(upstream_, UnknownDigest(1)).status, absl::StatusCode::kResourceExhausted, "RATE_LIMITED")
                .retry_delay,
            absl::Seconds(2));
}

// A second is more than there is: then it is not tried again, and nobody waits for nothing.
TEST_F(UpstreamFactsTest, DoesNotTryAgainBeforeTheAuthorityWantsIt) {
  server_.BeforeIntrospect([](auto&, auto&, auto&) {
    return ToGrpcStatus(MakeError(absl::StatusCode::kUnavailable, "the token store cannot be read",
                                  {.reason = "STORE_UNAVAILABLE", .retry_delay = absl::Seconds(1)}));
  });
  ExpectRefusal(Ask(upstream_, UnknownDigest(1)).status, absl::StatusCode::kUnavailable, "AUTHORITY_UNAVAILABLE");
  EXPECT_EQ(server_.introspections(), 1);
}

// An attempt that can hardly end in time might be one that the authority reads its store for, and nobody hears of. The
// clock stands still, so the wait is what counts.
TEST_F(UpstreamFactsTest, DoesNotTryAgainInTheLastTenthOfItsTime) {
  UpstreamFacts upstream(*channels_, clock_, observer_, {.deadline = absl::Milliseconds(200)});
  absl::Duration delay;
  server_.BeforeIntrospect([&](auto&, auto&, auto&) {
    if (server_.introspections() % 2 == 0) return grpc::Status::OK;
    return ToGrpcStatus(
        MakeError(absl::StatusCode::kUnavailable, "starting", {.reason = "STORE_UNAVAILABLE", .retry_delay = delay}));
  });
  delay = absl::Milliseconds(180);
  ExpectRefusal(Ask(upstream, UnknownDigest(1)).status, absl::StatusCode::kUnavailable, "AUTHORITY_UNAVAILABLE");
  EXPECT_EQ(server_.introspections(), 1);
  ASSERT_TRUE(Ask(upstream, UnknownDigest(1)).status.ok());
  delay = absl::Milliseconds(179);
  EXPECT_TRUE(Ask(upstream, UnknownDigest(1)).status.ok());
  EXPECT_EQ(server_.introspections(), 4);
}

TEST_F(UpstreamFactsTest, AnAuthorityThatIsSilentIsUnavailableWithinTheCallersTime) {
  absl::Notification ended;
  server_.BeforeIntrospect([&ended](grpc::ServerContext&, auto&, auto&) {
    ended.WaitForNotification();
    return grpc::Status::OK;
  });
  ExpectRefusal(AskFor(UnknownDigest(1), absl::Milliseconds(50)).status, absl::StatusCode::kUnavailable,
                "AUTHORITY_UNAVAILABLE");
  EXPECT_EQ(server_.introspections(), 1);
  ended.Notify();
  server_.Stop();  // Nobody looks at `ended` any more.
}

TEST_F(UpstreamFactsTest, WithoutTimeItDoesNotAsk) {
  for (const absl::Duration timeout : {absl::ZeroDuration(), -absl::Seconds(1)}) {
    ExpectRefusal(AskFor(UnknownDigest(1), timeout).status, absl::StatusCode::kUnavailable, "AUTHORITY_UNAVAILABLE");
  }
  EXPECT_EQ(server_.introspections(), 0);
}

TEST_F(UpstreamFactsTest, WhereNobodyListensItIsUnavailable) {
  const auto channels = ChannelsTo({NobodysAddress()});
  UpstreamFacts upstream(*channels, clock_, observer_, kImpatient);
  ExpectRefusal(Ask(upstream, UnknownDigest(1)).status, absl::StatusCode::kUnavailable, "AUTHORITY_UNAVAILABLE");
  EXPECT_GT(observer_.failures, 0);
}

// C11: gone, and back; nobody restarts the sidecar.
TEST_F(UpstreamFactsTest, AnAuthorityThatComesBackIsFoundAgain) {
  const IssuedToken token = authority_.Issue("ada");
  ASSERT_TRUE(Ask(upstream_, token.digest).active());
  server_.Stop();
  EXPECT_TRUE(absl::IsUnavailable(Ask(upstream_, token.digest).status));
  server_.Start();
  ReceivedFacts answer;
  for (int i = 0; i < 100 && !answer.active(); ++i) answer = Ask(upstream_, token.digest);
  EXPECT_TRUE(answer.active()) << answer.status;
}

// Callers with short deadlines find out too, and one address is enough: the connection may be dead and the authority
// well.
TEST_F(UpstreamFactsTest, AConnectionOnWhichNothingComesIsReplaced) {
  absl::Notification ended;
  std::atomic<int> connections = 0;
  server_.BeforeIntrospect([&](grpc::ServerContext& context, auto&, auto&) {
    static std::mutex mutex;
    static std::string first_peer;
    bool is_first = false;
    {
      const std::lock_guard<std::mutex> lock(mutex);
      if (first_peer.empty()) first_peer = context.peer();
      is_first = first_peer == context.peer();
    }
    if (is_first) {
      ended.WaitForNotification();
    } else {
      ++connections;
    }
    return grpc::Status::OK;
  });
  UpstreamFacts upstream(*channels_, clock_, observer_, {.deadline = absl::Milliseconds(100)});
  const auto ask = [&] {
    FactsRecorder receiver;
    upstream.Find(UnknownDigest(1), {.timeout = absl::Milliseconds(50)}, receiver);
    return receiver.Wait();
  };
  EXPECT_TRUE(absl::IsUnavailable(ask().status));
  EXPECT_TRUE(absl::IsUnavailable(ask().status));
  const ReceivedFacts answer = ask();
  EXPECT_TRUE(answer.status.ok()) << answer.status;
  EXPECT_EQ(connections, 1);
  ended.Notify();
}

// ---- Another store.

TEST_F(UpstreamFactsTest, AnotherIncarnationIsToldBeforeItsAnswerIs) {
  const IssuedToken token = authority_.Issue("ada");
  CachingFactsReader cache(upstream_, clock_, {});
  observer_.on_another_store = [&cache] { cache.DropAll(); };
  const IssuedToken other = authority_.Issue("ada");
  server_.SetIncarnation("one");
  ASSERT_TRUE(Ask(cache, token.digest).active());
  ASSERT_TRUE(Ask(cache, other.digest).active());
  EXPECT_EQ(observer_.other_stores, 0);  // The first is no other.

  server_.SetIncarnation("two");
  EXPECT_EQ(Ask(cache, token.digest).source, FactsSource::kCache);
  const size_t before = server_.introspections();
  EXPECT_TRUE(Ask(cache, UnknownDigest(1)).status.ok());
  EXPECT_EQ(observer_.other_stores, 1);
  EXPECT_EQ(server_.introspections(), before + 2);  // That load itself counts as overtaken.
  EXPECT_EQ(Ask(cache, token.digest).source, FactsSource::kStore);
  EXPECT_EQ(Ask(cache, other.digest).source, FactsSource::kStore);
  EXPECT_EQ(observer_.other_stores, 1);
}

TEST_F(UpstreamFactsTest, WithoutAnIncarnationOrWithNonsenseNothingIsConcluded) {
  server_.SetIncarnation("one");
  Ask(upstream_, UnknownDigest(1));
  for (const std::string& incarnation :
       {std::string(), std::string(1000, 'a'), std::string("another one"), std::string("one")}) {
    server_.SetIncarnation(incarnation);
    Ask(upstream_, UnknownDigest(1));
  }
  EXPECT_EQ(observer_.other_stores, 0);
}

// ---- Many, and stopping.

TEST_F(UpstreamFactsTest, AnswersManyThreadsEachWithItsOwn) {
  std::vector<IssuedToken> tokens;
  for (int i = 0; i < 10; ++i) tokens.push_back(authority_.Issue("ada"));
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 100; ++i) {
        const IssuedToken& token = tokens[(t + i) % tokens.size()];
        const ReceivedFacts answer = Ask(upstream_, token.digest);
        if (!answer.active() || answer.facts->uid != token.uid) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

TEST_F(UpstreamFactsTest, ShutdownGivesUpWhatIsUnderWayAndRefusesWhatComes) {
  absl::Notification begun;
  absl::Notification ended;
  std::atomic<bool> first = true;
  server_.BeforeIntrospect([&](auto&, auto&, auto&) {
    if (first.exchange(false)) begun.Notify();
    ended.WaitForNotification();
    return grpc::Status::OK;
  });
  const auto upstream =
      std::make_unique<UpstreamFacts>(*channels_, clock_, observer_, UpstreamOptions{.deadline = absl::Minutes(10)});
  std::vector<FactsRecorder> receivers(5);
  for (FactsRecorder& receiver : receivers) upstream->Find(UnknownDigest(1), {}, receiver);
  begun.WaitForNotification();
  upstream->Shutdown();
  for (const FactsRecorder& receiver : receivers) {
    EXPECT_EQ(receiver.times(), 1);
    EXPECT_TRUE(absl::IsUnavailable(receiver.Wait().status));
  }
  EXPECT_TRUE(absl::IsUnavailable(Ask(*upstream, UnknownDigest(1)).status));
  ended.Notify();
  server_.Stop();
}

TEST_F(UpstreamFactsTest, ShutdownCutsAWaitShort) {
  const auto channels = ChannelsTo({NobodysAddress()});
  UpstreamFacts upstream(
      *channels, clock_, observer_,
      {.deadline = absl::Minutes(20), .first_backoff = absl::Minutes(10), .longest_backoff = absl::Minutes(10)});
  FactsRecorder receiver;
  upstream.Find(UnknownDigest(1), {}, receiver);
  while (observer_.failures == 0) std::this_thread::yield();
  EXPECT_FALSE(receiver.done());
  upstream.Shutdown();
  EXPECT_TRUE(absl::IsUnavailable(receiver.Wait().status));
}

// ---- C8 and C11, as a cache over a network that fails.

TEST_F(UpstreamFactsTest, ManyThreadsOnOneColdTokenAskOnceAndAllGetTheError) {
  CachingFactsReader cache(upstream_, clock_, {.load_timeout = absl::Seconds(1)});
  absl::Notification all_wait;
  server_.BeforeIntrospect([&all_wait](auto&, auto&, auto&) {
    all_wait.WaitForNotification();
    return grpc::Status(grpc::StatusCode::INTERNAL, "broken");
  });
  const TokenDigest digest = UnknownDigest(1);
  std::vector<FactsRecorder> receivers(1000);
  std::vector<std::thread> threads;
  for (int t = 0; t < 10; ++t) {
    threads.emplace_back([&, t] {
      for (int i = t; i < 1000; i += 10) cache.Find(digest, {}, receivers[i]);
    });
  }
  for (std::thread& thread : threads) thread.join();
  all_wait.Notify();
  for (const FactsRecorder& receiver : receivers) {
    ExpectRefusal(receiver.Wait().status, absl::StatusCode::kUnavailable, "AUTHORITY_UNAVAILABLE");
    EXPECT_EQ(receiver.times(), 1);
  }
  EXPECT_EQ(server_.introspections(), 1);
  EXPECT_EQ(cache.table().active_size() + cache.table().inactive_size(), 0);
  server_.Stop();
}

TEST_F(UpstreamFactsTest, WithoutTheAuthorityFreshEntriesAreServedToTheirEndAndNothingElse) {
  CachingFactsReader lower(authority_.facts, authority_.clock, {});
  FakeAuthority server(lower, authority_.clock);
  const auto channels = ChannelsTo({server.address()});
  UpstreamFacts upstream(*channels, clock_, observer_, kImpatient);
  CachingFactsReader cache(upstream, clock_, {});
  const IssuedToken token = authority_.Issue("ada");
  const IssuedToken not_cached = authority_.Issue("ada");
  ASSERT_TRUE(Ask(cache, token.digest).active());
  server.Stop();
  EXPECT_TRUE(absl::IsUnavailable(Ask(cache, not_cached.digest).status));
  EXPECT_TRUE(absl::IsUnavailable(Ask(cache, token.digest, absl::ZeroDuration()).status));
  time_.Advance(absl::Hours(1));
  EXPECT_EQ(Ask(cache, token.digest).source, FactsSource::kCache);
  time_.Advance(absl::Nanoseconds(1));
  EXPECT_TRUE(absl::IsUnavailable(Ask(cache, token.digest).status));
  server.Start();
  const size_t before = server.introspections();
  ReceivedFacts answer;
  for (int i = 0; i < 100 && !answer.active(); ++i) answer = Ask(cache, token.digest);
  EXPECT_TRUE(answer.active());
  EXPECT_EQ(server.introspections(), before + 1);
}

// ---- C5 over sockets: authority, sidecar, and a third layer over that; the machines' clocks are years apart.

TEST_F(UpstreamFactsTest, ThreeLayersOverRealConnectionsAreStillOneTtl) {
  CachingFactsReader at_authority(authority_.facts, authority_.clock, {});
  FakeAuthority authority_server(at_authority, authority_.clock);
  const auto to_authority = ChannelsTo({authority_server.address()});
  UpstreamFacts sidecar_upstream(*to_authority, clock_, observer_, kImpatient);
  CachingFactsReader sidecar(sidecar_upstream, clock_, {});
  FakeAuthority sidecar_server(sidecar, clock_);
  const auto to_sidecar = ChannelsTo({sidecar_server.address()});
  FakeClockSource third_time(absl::FromUnixSeconds(500'000'000));
  const Clock third_clock(third_time);
  UpstreamFacts third_upstream(*to_sidecar, third_clock, observer_, kImpatient);
  CachingFactsReader third(third_upstream, third_clock, {});
  const auto advance = [&](absl::Duration duration) {
    for (FakeClockSource* const time : {&authority_.time, &time_, &third_time}) time->Advance(duration);
  };

  const IssuedToken token = authority_.Issue("ada");
  ASSERT_TRUE(Ask(sidecar, token.digest).active());
  advance(absl::Minutes(50));
  ASSERT_TRUE(Ask(third, token.digest).active());  // Read anew, all the way down.
  EXPECT_EQ(authority_server.introspections(), 2);
  authority_.Revoke(token);
  advance(absl::Hours(1));
  EXPECT_EQ(Ask(third, token.digest).source, FactsSource::kCache);
  EXPECT_TRUE(Ask(third, token.digest).active());
  advance(absl::Nanoseconds(1));
  EXPECT_FALSE(Ask(third, token.digest).active());
  EXPECT_FALSE(Ask(sidecar, token.digest).active());
}

}  // namespace
}  // namespace pat

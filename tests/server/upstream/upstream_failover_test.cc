// An authority with several addresses, over real gRPC and real sockets.
#include <grpcpp/security/credentials.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "gtest/gtest.h"
#include "server/rpc/status_mapping.h"
#include "server/upstream/upstream_facts.h"
#include "tests/server/upstream/failure_observer.h"
#include "tests/server/upstream/upstream_facts_test.h"
#include "tests/support/facts_recorder.h"
#include "tests/support/fake_authority.h"
#include "tests/support/refusal.h"
#include "tests/support/test_authority.h"

namespace pat {
namespace {

// What an authority says that cannot serve just now.
grpc::Status Unavailable(const std::string& reason, absl::Duration retry_delay = absl::Seconds(1)) {
  return ToGrpcStatus(MakeError(absl::StatusCode::kUnavailable, "the authority's own text",
                                {.reason = reason, .retry_delay = retry_delay}));
}

FakeAuthority::OnIntrospect Saying(const grpc::Status& status) {
  return [status](auto&, auto&, auto&) { return status; };
}

class UpstreamFailoverTest : public testing::Test, protected UpstreamParts {
 protected:
  FailureObserver observer_;
};

TEST_F(UpstreamFailoverTest, AnotherAddressIsTriedWithinTheSameCall) {
  const IssuedToken token = authority_.Issue("ada");
  const auto channels = ChannelsTo({NobodysAddress(), server_.address()});
  UpstreamFacts upstream(*channels, clock_, observer_, kImpatient);
  EXPECT_TRUE(Ask(upstream, token.digest).active());
  EXPECT_EQ(channels->current().index, 1);
  const int failures = observer_.failures();
  EXPECT_TRUE(Ask(upstream, token.digest).active());  // Now that one first.
  EXPECT_EQ(observer_.failures(), failures);
}

// Both directions: what serves is found, and stays in use.
TEST_F(UpstreamFailoverTest, AnAuthorityThatSaysItIsUnavailableIsLeftForAnotherOneWithinTheSameCall) {
  const IssuedToken token = authority_.Issue("ada");
  FakeAuthority other(authority_.facts, authority_.clock);
  const auto channels = ChannelsTo({server_.address(), other.address()});
  UpstreamFacts upstream(*channels, clock_, observer_);
  for (const char* const reason : {"STORE_UNAVAILABLE", "AUTHORITY_UNAVAILABLE"}) {
    for (FakeAuthority* const sick : {&server_, &other}) {
      FakeAuthority& well = sick == &server_ ? other : server_;
      sick->BeforeIntrospect(Saying(Unavailable(reason)));
      well.BeforeIntrospect(nullptr);
      const size_t at_sick = sick->introspections();
      const size_t at_well = well.introspections();
      for (int i = 0; i < 5; ++i) {
        const ReceivedFacts answer = Ask(upstream, token.digest);
        EXPECT_TRUE(answer.active()) << answer.status;
      }
      EXPECT_EQ(sick->introspections(), at_sick + 1) << "only until it is known";
      EXPECT_EQ(well.introspections(), at_well + 5);
      EXPECT_TRUE(absl::StartsWith(observer_.last_failure(), sick->address())) << observer_.last_failure();
    }
  }
  EXPECT_EQ(observer_.failures(), 4);
}

// The delay that they want is more than the time there is: nobody waits for nothing, and nobody is asked twice.
TEST_F(UpstreamFailoverTest, WhereAllAreUnavailableEachIsAskedOnceForEachQuestion) {
  FakeAuthority other(authority_.facts, authority_.clock);
  FakeAuthority third(authority_.facts, authority_.clock);
  const absl::Duration delay = absl::Minutes(1);
  server_.BeforeIntrospect(Saying(Unavailable("STORE_UNAVAILABLE", delay)));
  other.BeforeIntrospect(Saying(Unavailable("AUTHORITY_UNAVAILABLE", delay)));
  third.BeforeIntrospect(Saying(Unavailable("STORE_UNAVAILABLE", delay)));
  const auto channels = ChannelsTo({server_.address(), other.address(), third.address()});
  UpstreamFacts upstream(*channels, clock_, observer_, {.deadline = absl::Seconds(30)});
  // All at once, and whatever the others do meanwhile with the one that is in use.
  constexpr int kQuestions = 50;
  std::vector<FactsRecorder> receivers(kQuestions);
  for (int i = 0; i < kQuestions; ++i) upstream.Find(UnknownDigest(i), {}, receivers[i]);
  for (const FactsRecorder& receiver : receivers) {
    ExpectRefusal(receiver.Wait().status, absl::StatusCode::kUnavailable, "AUTHORITY_UNAVAILABLE");
  }
  for (const FakeAuthority* const authority : {&server_, &other, &third}) {
    EXPECT_EQ(authority->introspections(), kQuestions);
  }
}

// What one of them wants is heeded also when another one, which cannot be reached, was asked last.
TEST_F(UpstreamFailoverTest, ADelayThatAnyOfThemWantsIsObeyed) {
  server_.BeforeIntrospect(Saying(Unavailable("STORE_UNAVAILABLE")));
  const auto channels = ChannelsTo({server_.address(), NobodysAddress()});
  UpstreamFacts upstream(*channels, clock_, observer_, kImpatient);
  EXPECT_TRUE(absl::IsUnavailable(Ask(upstream, UnknownDigest(1)).status));
  EXPECT_EQ(server_.introspections(), 1);
  EXPECT_EQ(observer_.failures(), 2);
}

// A delay that fits is waited for, and all are asked again.
TEST_F(UpstreamFailoverTest, ADelayThatFitsIsWaitedForAfterAllWereAsked) {
  const IssuedToken token = authority_.Issue("ada");
  FakeAuthority other(authority_.facts, authority_.clock);
  for (FakeAuthority* const authority : {&server_, &other}) {
    authority->BeforeIntrospect([authority](auto&, auto&, auto&) {
      if (authority->introspections() > 1) return grpc::Status::OK;
      return Unavailable("STORE_UNAVAILABLE", absl::Milliseconds(20));
    });
  }
  const auto channels = ChannelsTo({server_.address(), other.address()});
  UpstreamFacts upstream(*channels, clock_, observer_);
  EXPECT_TRUE(Ask(upstream, token.digest).active());
  EXPECT_EQ(server_.introspections(), 2);
  EXPECT_EQ(other.introspections(), 1);
}

TEST_F(UpstreamFailoverTest, TheLogIsToldWhichAddressFailed) {
  const std::string nobodys = NobodysAddress();
  const auto channels = ChannelsTo({nobodys, server_.address()});
  UpstreamFacts upstream(*channels, clock_, observer_, kImpatient);
  EXPECT_TRUE(Ask(upstream, UnknownDigest(1)).status.ok());
  EXPECT_TRUE(absl::StartsWith(observer_.last_failure(), absl::StrCat(nobodys, ": status 14: ")))
      << observer_.last_failure();
}

TEST_F(UpstreamFailoverTest, AnAddressThatIsSilentIsLeft) {
  absl::Notification ended;
  FakeAuthority silent(authority_.facts, authority_.clock);
  silent.BeforeIntrospect([&ended](auto&, auto&, auto&) {
    ended.WaitForNotification();
    return grpc::Status::OK;
  });
  const auto channels = ChannelsTo({silent.address(), server_.address()});
  UpstreamFacts upstream(*channels, clock_, observer_, {.deadline = absl::Milliseconds(100)});
  EXPECT_TRUE(absl::IsUnavailable(Ask(upstream, UnknownDigest(1)).status));
  EXPECT_TRUE(Ask(upstream, UnknownDigest(1)).status.ok());
  ended.Notify();
}

}  // namespace
}  // namespace pat

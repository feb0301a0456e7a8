// An authority that is known by a name, which appears, disappears and moves: gRPC's own resolver, and a DNS server of
// the test's (Leave()).
#include <grpcpp/security/credentials.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "server/upstream/authority_channels.h"
#include "server/upstream/upstream_facts.h"
#include "tests/support/facts_recorder.h"
#include "tests/support/fake_authority.h"
#include "tests/support/fake_dns.h"
#include "tests/support/test_authority.h"

namespace pat {
namespace {

constexpr char kName[] = "authority.example";

// One attempt for each question: there is no time to wait for a second one.
constexpr UpstreamOptions kOnce{.first_backoff = absl::Seconds(2), .longest_backoff = absl::Seconds(2)};

class Observer final : public UpstreamObserver {
 public:
  void OnFailure(UpstreamCall /*call*/, absl::string_view /*text*/) override { ++failures; }
  std::atomic<int> failures = 0;
};

class NameLookupTest : public testing::Test {
 protected:
  NameLookupTest() { authority_.AddUser("ada"); }

  static std::string PortOf(const FakeAuthority& server) {
    const std::pair<std::string, std::string> parts = absl::StrSplit(server.address(), ':');
    return parts.second;
  }

  std::unique_ptr<AuthorityChannels> ChannelsTo(const std::vector<std::string>& targets) {
    std::vector<AuthorityChannels::Connector> connectors;
    for (const std::string& target : targets) {
      AuthorityChannels::Connector connector =
          AuthorityChannels::ConnectorTo(target, grpc::InsecureChannelCredentials(), "");
      connectors.push_back({.connect =
                                [this, connect = connector.connect] {
                                  ++made_;
                                  return connect();
                                },
                            .is_name = connector.is_name});
    }
    return std::make_unique<AuthorityChannels>(std::move(connectors));
  }

  // A crowd: ten questions in one instant of the fake clock.
  static int AnswersOfTen(FactsReader& facts) {
    int answers = 0;
    for (int i = 0; i < 10; ++i) answers += Ask(facts, UnknownDigest(i)).status.ok() ? 1 : 0;
    return answers;
  }

  TestAuthority authority_;
  FakeAuthority server_{authority_.facts, authority_.clock};
  FakeDns dns_;
  Observer observer_;
  std::atomic<int> made_ = 0;

  FakeClockSource time_{absl::FromUnixSeconds(1'000'000'000)};
  const Clock clock_{time_};
  std::unique_ptr<AuthorityChannels> channels_ = ChannelsTo({dns_.TargetOf(kName, PortOf(server_))});
  UpstreamFacts upstream_{*channels_, clock_, observer_, kOnce};
};

TEST_F(NameLookupTest, ANameThatIsThereIsLookedUpOnce) {
  dns_.Set(kName, "127.0.0.1");
  EXPECT_EQ(AnswersOfTen(upstream_), 10);
  time_.Advance(absl::Minutes(1));
  EXPECT_EQ(AnswersOfTen(upstream_), 10);
  EXPECT_EQ(dns_.lookups(), 1);
  EXPECT_EQ(made_, 1);
}

// gRPC would have looked three or four times in the first minute, and waited half a minute for the next.
TEST_F(NameLookupTest, ANameThatDoesNotExistIsLookedUpOnceASecondAndNotMoreOften) {
  for (int second = 0; second < 60; ++second) {
    EXPECT_EQ(AnswersOfTen(upstream_), 0);
    time_.Advance(absl::Seconds(1));
  }
  EXPECT_GE(dns_.lookups(), 60);
  EXPECT_LE(dns_.lookups(), 66);  // Where this takes longer than a second gRPC looks by itself too.
  EXPECT_EQ(made_, 61);
}

TEST_F(NameLookupTest, ANameThatAppearsIsFoundByWhoAsksASecondLater) {
  for (int second = 0; second < 30; ++second) {
    EXPECT_EQ(AnswersOfTen(upstream_), 0);
    time_.Advance(absl::Seconds(1));
  }
  dns_.Set(kName, "127.0.0.1");
  EXPECT_FALSE(Ask(upstream_, UnknownDigest(1)).status.ok());  // This one has it looked up.
  EXPECT_EQ(AnswersOfTen(upstream_), 10);
  const int made = made_;
  time_.Advance(absl::Minutes(1));
  EXPECT_EQ(AnswersOfTen(upstream_), 10);
  EXPECT_EQ(made_, made);
}

TEST_F(NameLookupTest, ANameThatWasGoneAndIsThereAgainAtAnotherAddressIsFound) {
  dns_.Set(kName, "127.0.0.1");
  FakeAuthority other(authority_.facts, authority_.clock, absl::StrCat("127.0.0.2:", PortOf(server_)));
  EXPECT_EQ(AnswersOfTen(upstream_), 10);
  EXPECT_EQ(other.introspections(), 0);
  server_.Stop();
  dns_.Remove(kName);
  for (int second = 0; second < 30; ++second) {
    EXPECT_EQ(AnswersOfTen(upstream_), 0);
    time_.Advance(absl::Seconds(1));
  }
  EXPECT_LE(made_, 31);
  dns_.Set(kName, "127.0.0.2");
  EXPECT_FALSE(Ask(upstream_, UnknownDigest(1)).status.ok());
  EXPECT_EQ(AnswersOfTen(upstream_), 10);
  EXPECT_EQ(other.introspections(), 10);
}

TEST_F(NameLookupTest, AnAddressInFiguresIsLeftToGrpc) {
  const std::string address = server_.address();
  server_.Stop();
  const auto channels = ChannelsTo({absl::StrCat("ipv4:", address)});
  UpstreamFacts upstream(*channels, clock_, observer_, kOnce);
  const int made = made_;
  for (int second = 0; second < 10; ++second) {
    EXPECT_EQ(AnswersOfTen(upstream), 0);
    time_.Advance(absl::Seconds(1));
  }
  EXPECT_EQ(made_, made);
}

// One call that failed says nothing of the others that are under way on the same connection.
TEST_F(NameLookupTest, AConnectionThatIsThereIsNotGivenUp) {
  dns_.Set(kName, "127.0.0.1");
  absl::Notification begun;
  absl::Notification goes_on;
  std::atomic<bool> is_first = true;
  server_.BeforeIntrospect([&](auto&, auto&, auto&) {
    if (!is_first.exchange(false)) return grpc::Status(grpc::StatusCode::UNAVAILABLE, "a balancer's, for example");
    begun.Notify();
    goes_on.WaitForNotification();
    return grpc::Status::OK;
  });
  UpstreamFacts upstream(*channels_, clock_, observer_, {.deadline = absl::Minutes(1)});
  FactsRecorder under_way;
  upstream.Find(UnknownDigest(1), {}, under_way);
  begun.WaitForNotification();
  for (int second = 0; second < 10; ++second) {
    EXPECT_EQ(AnswersOfTen(upstream_), 0);
    time_.Advance(absl::Seconds(1));
  }
  EXPECT_EQ(made_, 1);
  goes_on.Notify();
  EXPECT_TRUE(under_way.Wait().status.ok());
  EXPECT_EQ(observer_.failures, 100);
}

// And who is under way on a channel that is given up, as a name has moved and the connection is lost for others, ends
// as it would have ended: whoever holds a Way holds its channel.
TEST_F(NameLookupTest, AWayThatWasGivenOutOutlivesItsChannelsPlace) {
  const AuthorityChannels::Way before = channels_->current();
  ASSERT_FALSE(Ask(upstream_, UnknownDigest(1)).status.ok());
  ASSERT_EQ(made_, 2);
  EXPECT_NE(channels_->current().stub, before.stub);
  grpc::ClientContext context;
  v1::IntrospectResponse response;
  EXPECT_EQ(before.stub->Introspect(&context, {}, &response).error_code(), grpc::StatusCode::UNAVAILABLE);
  channels_->Leave(before, clock_.Read().boot_nanos + absl::ToInt64Nanoseconds(absl::Hours(1)));
  EXPECT_EQ(made_, 2) << "what is told of a channel that is gone says nothing of the one there is";
}

TEST_F(NameLookupTest, AStandbyAnswersWhileANameIsGone) {
  const auto channels = ChannelsTo({dns_.TargetOf(kName, PortOf(server_)), absl::StrCat("ipv4:", server_.address())});
  UpstreamFacts upstream(*channels, clock_, observer_, kOnce);
  EXPECT_EQ(AnswersOfTen(upstream), 10);
  EXPECT_EQ(channels->current().index, 1);
}

// A DNS server that loses questions is asked again by gRPC's resolver, which a new channel would begin anew.
TEST_F(NameLookupTest, ALookUpThatIsUnderWayIsLeftAlone) {
  dns_.SetSilent(true);
  UpstreamFacts upstream(*channels_, clock_, observer_, {.deadline = absl::Milliseconds(50)});
  for (int i = 0; i < 10; ++i) {
    EXPECT_TRUE(absl::IsUnavailable(Ask(upstream, UnknownDigest(i)).status));
    time_.Advance(absl::Seconds(1));
  }
  EXPECT_EQ(made_, 1);
  EXPECT_EQ(dns_.lookups(), 1);
}

// ---- In real time, as it is promised: within two seconds.

class RealTimeNameLookupTest : public NameLookupTest {
 protected:
  int64_t Now() const { return real_clock_.Read().boot_nanos; }

  // Somebody asks all the time. Returns how long it took until there was an answer, or ten seconds.
  absl::Duration UntilAnswered() {
    const int64_t begin = Now();
    while (!Ask(real_upstream_, UnknownDigest(1)).status.ok()) {
      if (Now() - begin > absl::ToInt64Nanoseconds(absl::Seconds(10))) break;
    }
    return absl::Nanoseconds(Now() - begin);
  }

  void AskInVainFor(absl::Duration duration) {
    const int64_t begin = Now();
    while (Now() - begin < absl::ToInt64Nanoseconds(duration)) {
      EXPECT_FALSE(Ask(real_upstream_, UnknownDigest(1)).status.ok());
    }
  }

  // One look by us and one by gRPC a second, at most.
  void ExpectNoStorm() {
    const auto seconds = static_cast<size_t>((Now() - began_) / 1'000'000'000);
    EXPECT_LE(dns_.lookups(), 2 * (seconds + 1));
    EXPECT_LE(made_, seconds + 2);
  }

  const Clock real_clock_{SystemClockSource()};
  const int64_t began_ = real_clock_.Read().boot_nanos;
  UpstreamFacts real_upstream_{*channels_, real_clock_, observer_};
};

TEST_F(RealTimeNameLookupTest, ANameThatAppearsIsFoundWithinTwoSeconds) {
  AskInVainFor(absl::Seconds(3));
  ExpectNoStorm();
  dns_.Set(kName, "127.0.0.1");
  EXPECT_LT(UntilAnswered(), absl::Seconds(2));
}

TEST_F(RealTimeNameLookupTest, ANameThatMovesIsFoundWithinTwoSeconds) {
  dns_.Set(kName, "127.0.0.1");
  FakeAuthority other(authority_.facts, authority_.clock, absl::StrCat("127.0.0.2:", PortOf(server_)));
  EXPECT_LT(UntilAnswered(), absl::Seconds(2));
  server_.Stop();
  AskInVainFor(absl::Seconds(3));  // It points at the old address still.
  dns_.Set(kName, "127.0.0.2");
  EXPECT_LT(UntilAnswered(), absl::Seconds(2));
  EXPECT_EQ(other.introspections(), 1);
  ExpectNoStorm();
}

}  // namespace
}  // namespace pat

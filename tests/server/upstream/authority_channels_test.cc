#include "server/upstream/authority_channels.h"

#include <grpcpp/create_channel.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "gtest/gtest.h"

namespace pat {
namespace {

TEST(AuthorityTargetTest, TakesAddressesNamesAndSockets) {
  const std::vector<std::pair<const char*, const char*>> cases = {
      {"10.0.0.7:7443", "ipv4:10.0.0.7:7443"},
      {"[::1]:7443", "ipv6:[::1]:7443"},
      {"authority.example:7443", "dns:///authority.example:7443"},
      {"localhost:1", "dns:///localhost:1"},
      {"a-b_c.d:65535", "dns:///a-b_c.d:65535"},
      {"unix:/run/pat/authority.sock", "unix:/run/pat/authority.sock"}};
  for (const auto& [address, target] : cases) EXPECT_EQ(AuthorityTarget(address).value(), target);
}

TEST(AuthorityTargetTest, RefusesEverythingElseAndSaysWhatWouldBeRight) {
  for (const char* const address : {"",
                                    ":",
                                    ":7443",
                                    "authority.example",
                                    "authority.example:",
                                    "authority.example:0",
                                    "authority.example:65536",
                                    "authority.example:-1",
                                    "authority.example:7443x",
                                    "256.0.0.1:1",
                                    "1.2.3:1",
                                    "::1:7443",
                                    "[::1]",
                                    "[::g]:1",
                                    "[::1:7443",
                                    "dns:///a:1",
                                    "a,b:1",
                                    "a b:1",
                                    "-a:1",
                                    ".a:1",
                                    "unix:",
                                    "unix:relative",
                                    "unix:/",
                                    "http://a:1",
                                    "authority.example:7443,other.example:7443"}) {
    const auto target = AuthorityTarget(address);
    EXPECT_EQ(target.status().code(), absl::StatusCode::kInvalidArgument) << address << " became " << *target;
    EXPECT_TRUE(absl::StrContains(target.status().message(), "authority.example:7443")) << target.status();
  }
}

TEST(AuthorityChannelsTest, NeedsAnAddress) {
  const auto credentials = grpc::InsecureChannelCredentials();
  EXPECT_FALSE(AuthorityChannels::Create({}, credentials, "").ok());
  EXPECT_FALSE(AuthorityChannels::Create({"10.0.0.7:7443", "nonsense"}, credentials, "").ok());
  EXPECT_EQ(AuthorityChannels::Create({"10.0.0.7:7443", "a.example:1"}, credentials, "").value()->size(), 2);
}

TEST(AuthorityChannelsTest, GoesRoundAndOnlyFromTheOneInUse) {
  auto channels =
      AuthorityChannels::Create({"a.example:1", "b.example:1", "c.example:1"}, grpc::InsecureChannelCredentials(), "")
          .value();
  const AuthorityChannels::Way first = channels->current();
  EXPECT_EQ(first.index, 0);
  channels->MoveOn(first);
  EXPECT_EQ(channels->current().index, 1);
  channels->MoveOn(first);  // Somebody who comes late with it.
  EXPECT_EQ(channels->current().index, 1);
  channels->Leave(channels->current(), 0);
  channels->Leave(channels->current(), 0);
  EXPECT_EQ(channels->current().index, 0);
}

TEST(AuthorityChannelsTest, WhoGoesOnFromOneToTheNextHasBeenEverywhere) {
  const std::vector<std::string> addresses = {"a.example:1", "10.0.0.7:7443", "c.example:1"};
  auto channels = AuthorityChannels::Create(addresses, grpc::InsecureChannelCredentials(), "").value();
  AuthorityChannels::Way way = channels->current();
  for (size_t i = 0; i < addresses.size(); ++i) {
    EXPECT_EQ(way.index, i);
    EXPECT_EQ(channels->AddressOf(way), addresses[i]);
    channels->MoveOn(channels->current());  // Others move it meanwhile.
    way = channels->After(way);
  }
  EXPECT_EQ(way.index, 0);
}

constexpr int64_t kSecond = 1'000'000'000;

// Counts the channels that are made. Nobody connects them: all that is told of them is told by the test.
class SilenceTest : public testing::Test {
 protected:
  AuthorityChannels::Connector Counting() {
    return {.connect = [this] {
      ++made_;
      return grpc::CreateChannel("ipv4:127.0.0.1:1", grpc::InsecureChannelCredentials());
    }};
  }

  int made_ = 0;
};

TEST_F(SilenceTest, AfterTwoInARowTheConnectionIsAnotherOne) {
  AuthorityChannels channels({Counting()});
  const AuthorityChannels::Way first = channels.current();
  channels.NoteSilence(first, 0);
  channels.NoteAnswer(first);
  channels.NoteSilence(first, 0);
  EXPECT_EQ(channels.current().stub, first.stub) << "they were not in a row";
  channels.NoteSilence(first, 0);
  EXPECT_NE(channels.current().stub, first.stub);
  EXPECT_EQ(made_, 2);
  // A crowd that was silent on the one before says nothing of this one.
  for (int i = 0; i < 10; ++i) channels.NoteSilence(first, 10 * kSecond);
  channels.Renew(first, 10 * kSecond);
  EXPECT_EQ(made_, 2);
  channels.Renew(channels.current(), 10 * kSecond);
  EXPECT_EQ(made_, 3);
}

TEST_F(SilenceTest, AStandbyIsUsedAtOnce) {
  AuthorityChannels channels({Counting(), Counting()});
  channels.NoteSilence(channels.current(), 0);
  EXPECT_EQ(channels.current().index, 1);
  EXPECT_EQ(made_, 2);
}

// An authority that hangs is not to shake hands after every two questions as well.
TEST_F(SilenceTest, RenewalsThatDoNotHelpBecomeRare) {
  AuthorityChannels channels({Counting()});
  std::vector<int64_t> renewed_at;
  // Loads of a quarter of a second, one after the other, for three minutes.
  constexpr int64_t kStep = kSecond / 4;
  for (int64_t now = 0; now <= 180 * kSecond; now += kStep) {
    const int before = made_;
    channels.NoteSilence(channels.current(), now);
    if (made_ > before) renewed_at.push_back(now);
  }
  std::vector<int64_t> seconds_between;
  for (size_t i = 1; i < renewed_at.size(); ++i) {
    seconds_between.push_back((renewed_at[i] - renewed_at[i - 1]) / kSecond);
  }
  EXPECT_EQ(renewed_at.front(), kStep) << "the first one is at once";
  EXPECT_EQ(seconds_between, (std::vector<int64_t>{1, 2, 4, 8, 16, 32, 32, 32, 32}));
}

TEST_F(SilenceTest, AnAnswerMakesTheNextRenewalPromptAgain) {
  AuthorityChannels channels({Counting()});
  int64_t now = 0;
  for (; made_ < 6; now += kSecond) channels.NoteSilence(channels.current(), now);  // Sixteen seconds would be next.
  channels.NoteAnswer(channels.current());
  channels.NoteSilence(channels.current(), now);
  EXPECT_EQ(made_, 6);
  channels.NoteSilence(channels.current(), now);
  EXPECT_EQ(made_, 7);
  // And the one after that waits a second, as in the beginning.
  channels.NoteSilence(channels.current(), now);
  channels.NoteSilence(channels.current(), now + kSecond - 1);
  EXPECT_EQ(made_, 7);
  channels.NoteSilence(channels.current(), now + kSecond);
  EXPECT_EQ(made_, 8);
}

TEST_F(SilenceTest, AnAnswerOverTheConnectionBeforeSaysNothingOfThisOne) {
  AuthorityChannels channels({Counting()});
  const AuthorityChannels::Way first = channels.current();
  channels.Renew(first, 0);
  channels.NoteAnswer(first);
  channels.Renew(channels.current(), kSecond - 1);
  EXPECT_EQ(made_, 2);
  channels.Renew(channels.current(), kSecond);
  EXPECT_EQ(made_, 3);
}

TEST_F(SilenceTest, EachAddressHasWaitsOfItsOwn) {
  AuthorityChannels channels({Counting(), Counting()});
  const AuthorityChannels::Way first = channels.current();
  channels.Renew(first, 0);
  const AuthorityChannels::Way second = channels.current();
  ASSERT_NE(second.index, first.index);
  channels.Renew(second, 0);
  EXPECT_EQ(made_, 4);
}

}  // namespace
}  // namespace pat

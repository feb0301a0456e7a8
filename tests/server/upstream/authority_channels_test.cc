#include "server/upstream/authority_channels.h"

#include <grpcpp/create_channel.h>

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

// Counts the channels that are made.
class SilenceTest : public testing::Test {
 protected:
  AuthorityChannels::Connector Counting() {
    return [this] {
      ++made_;
      return grpc::CreateChannel("ipv4:127.0.0.1:1", grpc::InsecureChannelCredentials());
    };
  }

  int made_ = 0;
};

TEST_F(SilenceTest, AfterTwoInARowTheConnectionIsAnotherOne) {
  AuthorityChannels channels({Counting()});
  const AuthorityChannels::Way first = channels.current();
  channels.NoteSilence(first);
  channels.NoteAnswer(first);
  channels.NoteSilence(first);
  EXPECT_EQ(channels.current().stub, first.stub) << "they were not in a row";
  channels.NoteSilence(first);
  EXPECT_NE(channels.current().stub, first.stub);
  EXPECT_EQ(made_, 2);
  // A crowd that was silent on the one before says nothing of this one.
  for (int i = 0; i < 10; ++i) channels.NoteSilence(first);
  channels.Renew(first);
  EXPECT_EQ(made_, 2);
  channels.Renew(channels.current());
  EXPECT_EQ(made_, 3);
}

TEST_F(SilenceTest, AStandbyIsUsedAtOnce) {
  AuthorityChannels channels({Counting(), Counting()});
  channels.NoteSilence(channels.current());
  EXPECT_EQ(channels.current().index, 1);
  EXPECT_EQ(made_, 2);
}

}  // namespace
}  // namespace pat

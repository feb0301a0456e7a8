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
  EXPECT_EQ(channels->current(), 0);
  channels->Leave(0);
  EXPECT_EQ(channels->current(), 1);
  channels->Leave(0);  // Somebody who comes late with it.
  EXPECT_EQ(channels->current(), 1);
  channels->Leave(1);
  channels->Leave(2);
  EXPECT_EQ(channels->current(), 0);
}

}  // namespace
}  // namespace pat

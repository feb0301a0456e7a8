// What the guide of `patd dev` tells people to type: it has to work where it listens.
#include "server/ops/dev_guide.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace pat {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const ListenAddress kTcp{.host = "127.0.0.1", .port = 7443};
const ListenAddress kFullSocket{.is_unix = true, .path = "/run/full.sock"};
const ListenAddress kIntrospectorSocket{.is_unix = true, .path = "/run/ask.sock", .role = ListenerRole::kIntrospector};

std::string GuideFor(const std::vector<ListenAddress>& listening) { return DevGuide(Options(), "/data", listening); }

TEST(DevGuideTest, OverTcpEveryToolTakesTheAddress) {
  const std::string guide = GuideFor({kTcp});
  EXPECT_THAT(guide, HasSubstr("patctl --server 127.0.0.1:7443 --user ada token create"));
  EXPECT_THAT(guide, HasSubstr("grpcurl -plaintext 127.0.0.1:7443 list\n"));
  EXPECT_THAT(guide, HasSubstr("--list-methods http://127.0.0.1:7443\n"));
  EXPECT_THAT(guide, HasSubstr("x-pat-user: ada"));
  EXPECT_THAT(guide, Not(HasSubstr("$")));
}

TEST(DevGuideTest, OverAUnixSocketEachToolTakesItsOwnForm) {
  const std::string guide = GuideFor({kFullSocket});
  EXPECT_THAT(guide, HasSubstr("patctl --server unix:/run/full.sock introspect"));
  EXPECT_THAT(guide, HasSubstr("grpcurl -plaintext -unix /run/full.sock list\n"));
  EXPECT_THAT(guide, HasSubstr("\"ttl\":\"3600s\"}' \\\n    -unix /run/full.sock pat.v1.TokenService/CreateToken\n"));
  EXPECT_THAT(guide, HasSubstr("--unix-socket /run/full.sock --list-methods http://localhost\n"));
  EXPECT_THAT(guide, Not(HasSubstr("plaintext unix:")));
  EXPECT_THAT(guide, Not(HasSubstr("$")));
}

TEST(DevGuideTest, WhereNobodyIsAPortalNoCommandIsOne) {
  const std::string guide = GuideFor({kIntrospectorSocket});
  EXPECT_THAT(guide, Not(HasSubstr("x-pat-user")));
  EXPECT_THAT(guide, HasSubstr("-unix /run/ask.sock pat.v1.IntrospectionService/Introspect"));
}

TEST(DevGuideTest, TheCommandsAreForAListenerThatTakesAll) {
  const std::string guide = GuideFor({kIntrospectorSocket, kTcp});
  EXPECT_THAT(guide, HasSubstr("x-pat-user: ada"));
  EXPECT_THAT(guide, Not(HasSubstr("-unix")));
}

}  // namespace
}  // namespace pat

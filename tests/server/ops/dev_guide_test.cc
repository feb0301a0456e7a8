// What the guide of `patd dev` tells people to type: it has to work where it listens.
#include "server/ops/dev_guide.h"

#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
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
  EXPECT_THAT(guide, HasSubstr("--unix-socket /run/full.sock \\\n    --list-methods http://localhost\n"));
  EXPECT_THAT(guide, Not(HasSubstr("plaintext unix:")));
  EXPECT_THAT(guide, Not(HasSubstr("$")));
}

TEST(DevGuideTest, WhereNobodyIsAPortalNoCommandIsOne) {
  const std::string guide = GuideFor({kIntrospectorSocket});
  EXPECT_THAT(guide, Not(HasSubstr("x-pat-user")));
  EXPECT_THAT(guide, HasSubstr("-d @ -unix /run/ask.sock \\\n    pat.v1.IntrospectionService/Introspect"));
}

TEST(DevGuideTest, TheCommandsAreForAListenerThatTakesAll) {
  const std::string guide = GuideFor({kIntrospectorSocket, kTcp});
  EXPECT_THAT(guide, HasSubstr("x-pat-user: ada"));
  EXPECT_THAT(guide, Not(HasSubstr("-unix")));
}

TEST(DevGuideTest, TheSidecarHasCommandsOfItsOwn) {
  const ListenAddress sidecar{.host = "127.0.0.1", .port = 7444};
  Options options;
  options.cache_ttl = absl::Seconds(90);
  const std::string guide = DevGuide(options, "/data", {kTcp}, sidecar);
  EXPECT_THAT(guide, HasSubstr("Listening on 127.0.0.1:7443\nSidecar on 127.0.0.1:7444, in front of it;"));
  EXPECT_THAT(guide, HasSubstr("patctl --server 127.0.0.1:7444 introspect"));
  EXPECT_THAT(guide, HasSubstr("grpcurl -plaintext 127.0.0.1:7444 list\n"));
  EXPECT_THAT(guide, HasSubstr("http://127.0.0.1:7444/pat.v1.IntrospectionService/Introspect\n"));
  EXPECT_THAT(guide, HasSubstr("within\n1m30s. `patd dev --propagation push`"));
  EXPECT_THAT(guide, Not(HasSubstr("$")));

  options.propagation = Propagation::kPush;
  EXPECT_THAT(DevGuide(options, "/data", {kTcp}, sidecar), HasSubstr("1m30s is the bound all the same"));
  EXPECT_THAT(GuideFor({kTcp}), Not(HasSubstr("At the sidecar")));
}

TEST(DevGuideTest, TheSidecarMayBeAtASocket) {
  const std::string guide = DevGuide(Options(), "/data", {kTcp}, kIntrospectorSocket);
  EXPECT_THAT(guide, HasSubstr("patctl --server unix:/run/ask.sock introspect"));
  EXPECT_THAT(guide, HasSubstr("grpcurl -plaintext -d @ -unix /run/ask.sock \\\n"));
  EXPECT_THAT(guide, HasSubstr("--unix-socket /run/ask.sock -d @- \\\n    http://localhost/pat.v1."));
}

TEST(DevGuideTest, NothingIsWiderThanATerminal) {
  const ListenAddress address{.host = "127.0.0.1", .port = 65535};
  const std::string guide = DevGuide(Options(), "/tmp/pat-dev-abcdef", {address}, address);
  for (const absl::string_view line : absl::StrSplit(guide, '\n')) EXPECT_LE(line.size(), 80U) << line;
}

}  // namespace
}  // namespace pat

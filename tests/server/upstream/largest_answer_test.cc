// The largest answer that an authority gives, over a real connection: a sidecar has to take it.
#include <grpcpp/security/credentials.h>

#include <cstddef>
#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "server/core/scope_catalog.h"
#include "server/upstream/authority_channels.h"
#include "server/upstream/upstream_facts.h"
#include "tests/support/facts_recorder.h"
#include "tests/support/fake_authority.h"
#include "tests/support/test_authority.h"

namespace pat {
namespace {

// Of a catalogue that is as large as it may be (ScopeCatalog::Parse), with the longest of everything else.
TEST(LargestAnswerTest, ATokenWithAllScopesThatACatalogueMayHaveFits) {
  constexpr size_t kNames = kMostScopeBytes / (128 + kBytesAroundScope);
  TestAuthority authority;
  authority.AddUser("ada");
  FakeAuthority server(authority.facts, authority.clock);
  server.AfterIntrospect([](auto&, auto&, v1::IntrospectResponse& response) {
    response.clear_scopes();
    for (size_t i = 0; i < kNames; ++i) response.add_scopes(absl::StrCat(std::string(123, 'x'), 10'000 + i));
    for (int i = 0; i < 16; ++i) response.add_aud(absl::StrCat(std::string(250, 'a'), i));
    EXPECT_GT(response.ByteSizeLong(), kMostScopeBytes);
    response.set_verdict(v1::IntrospectResponse::VERDICT_WRONG_AUDIENCE);
    return grpc::Status::OK;
  });
  UpstreamObserver observer;
  const auto channels = AuthorityChannels::Create({server.address()}, grpc::InsecureChannelCredentials(), "").value();
  UpstreamFacts upstream(*channels, authority.clock, observer);
  const ReceivedFacts answer = Ask(upstream, authority.Issue("ada").digest);
  ASSERT_TRUE(answer.active()) << answer.status;
  EXPECT_EQ(answer.facts->scopes.ToVector().size(), kNames);
}

}  // namespace
}  // namespace pat

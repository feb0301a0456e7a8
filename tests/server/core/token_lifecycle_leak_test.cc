// Whoever holds a secret may end its token; and nobody learns from the answer whether there was one.
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/core/token_secret.h"
#include "tests/server/core/token_lifecycle_test.h"

namespace pat {
namespace {

using ::testing::ElementsAre;

class LeakedTokenTest : public TokenLifecycleTest {
 protected:
  LeakedTokenTest() { scanner_.peer = "ipv4:10.0.0.9:4711"; }

  absl::Status Report(absl::string_view secret) { return tokens().ReportLeaked(scanner_, secret); }
  std::vector<AuditRecord> Rows() {
    std::vector<AuditRecord> rows;
    AuditPage page = authority_.engine->ListAudit({.limit = 1000}).value();
    for (AuditRecord& row : page.rows) {
      if (row.method == "pat.v1.TokenService/ReportLeakedToken") rows.push_back(std::move(row));
    }
    return rows;
  }

  const IssuedToken token_ = Issue();
  Principal scanner_{.kind = PrincipalKind::kIntrospector, .identity = "spiffe://example.org/scanner"};
};

TEST_F(LeakedTokenTest, AHitIsRevokedAndAuditedWithTheReporter) {
  Advance(absl::Minutes(1));
  ASSERT_EQ(Report(token_.secret), absl::OkStatus());
  EXPECT_EQ(View(token_).state, TokenState::kRevoked);
  EXPECT_EQ(View(token_).record.revoke_time, Now());
  ASSERT_EQ(Rows().size(), 1);
  const AuditRecord row = Rows().front();
  EXPECT_EQ(row.principal, "introspector:spiffe://example.org/scanner");
  EXPECT_EQ(row.user_id, "");
  EXPECT_EQ(row.target, token_.name);
  EXPECT_EQ(row.target_user_id, "ada");
  EXPECT_EQ(row.target_token, token_.uid);
  EXPECT_EQ(row.peer, "ipv4:10.0.0.9:4711");
  EXPECT_EQ(row.sequence, View(token_).record.change_sequence);
}

TEST_F(LeakedTokenTest, WhatIsUnknownOrDeadIsAnsweredAlikeAndWritesNothing) {
  const IssuedToken revoked = Issue();
  authority_.Revoke(revoked);
  const IssuedToken regenerated = Issue();
  authority_.Regenerate(regenerated);
  const uint64_t before = CommitSequence();
  for (const std::string& secret : {std::string("x"), std::string("pat_"), revoked.secret, regenerated.secret,
                                    std::string(1024, 'p'), token_.secret.substr(1), token_.secret + " "}) {
    EXPECT_EQ(Report(secret), absl::OkStatus());
  }
  const Secret unknown = MintSecret();
  EXPECT_EQ(Report(unknown.Reveal()), absl::OkStatus());
  EXPECT_EQ(CommitSequence(), before);
  EXPECT_TRUE(Rows().empty());
  EXPECT_EQ(View(token_).state, TokenState::kActive);
  EXPECT_EQ(View(regenerated).state, TokenState::kActive);
}

TEST_F(LeakedTokenTest, WhatIsNoSecretAtAllIsAMistakeAndIsNotRepeated) {
  EXPECT_THAT(ExpectInvalid(Report("")), ElementsAre("secret"));
  const absl::Status refused = Report(token_.secret + std::string(1024, 'p'));
  EXPECT_THAT(ExpectInvalid(refused), ElementsAre("secret"));
  EXPECT_FALSE(absl::StrContains(refused.ToString(), "pat_"));
}

TEST_F(LeakedTokenTest, AnyCallerMayButNobody) {
  for (const Principal& caller :
       {AsUser("bob"), AsPortal("bob"), AsAdministrator("root"),
        Principal{.kind = PrincipalKind::kToken, .user_id = "bob", .token = token_.uid}, scanner_}) {
    const IssuedToken token = Issue();
    EXPECT_EQ(tokens().ReportLeaked(caller, token.secret), absl::OkStatus());
    EXPECT_EQ(View(token).state, TokenState::kRevoked) << caller.ToString();
  }
  ExpectRefusal(tokens().ReportLeaked({}, token_.secret), absl::StatusCode::kUnauthenticated, "CREDENTIALS_MISSING");
  EXPECT_EQ(View(token_).state, TokenState::kActive);
}

// Suspended tokens come back; leaked ones must not.
TEST_F(LeakedTokenTest, ASuspendedOrExpiredTokenEndsToo) {
  authority_.ChangeUser("ada", [](UserRecord& user) { user.disabled = true; });
  EXPECT_EQ(Report(token_.secret), absl::OkStatus());
  authority_.ChangeUser("ada", [](UserRecord& user) { user.disabled = false; });
  EXPECT_EQ(View(token_).state, TokenState::kRevoked);
  const IssuedToken expired = Issue();
  AdvanceTo(View(expired).expire_time);
  EXPECT_EQ(Report(expired.secret), absl::OkStatus());
  EXPECT_EQ(View(expired).state, TokenState::kRevoked);
}

// Between the look and the change the owner regenerated it: what was reported is dead, what lives was not reported.
TEST_F(LeakedTokenTest, TheSecretThatReplacedTheLeakedOneLives) {
  bool regenerated = false;
  authority_.store.BeforeCommit([&] {
    if (regenerated) return;
    regenerated = true;
    authority_.Regenerate(token_);
  });
  EXPECT_EQ(Report(token_.secret), absl::OkStatus());
  EXPECT_TRUE(regenerated);
  EXPECT_EQ(View(token_).state, TokenState::kActive);
  EXPECT_TRUE(Rows().empty());
}

TEST_F(LeakedTokenTest, TenASecondOfEachCaller) {
  const Secret unknown = MintSecret();
  for (int i = 0; i < 10; ++i) ASSERT_EQ(Report(i % 2 == 0 ? "nonsense" : unknown.Reveal()), absl::OkStatus());
  const ErrorDetails details =
      ExpectRefusal(Report(token_.secret), absl::StatusCode::kResourceExhausted, "RATE_LIMITED");
  EXPECT_EQ(details.retry_delay, absl::Seconds(1));
  EXPECT_EQ(View(token_).state, TokenState::kActive);
  EXPECT_EQ(tokens().ReportLeaked(AsUser("bob"), "nonsense"), absl::OkStatus());
  Advance(absl::Seconds(1));
  EXPECT_EQ(Report(token_.secret), absl::OkStatus());
  EXPECT_EQ(View(token_).state, TokenState::kRevoked);
}

// Else a portal would have ten for each name that it thinks of.
TEST_F(LeakedTokenTest, APortalIsOneCallerWhomeverItNames) {
  const auto report = [this](absl::string_view portal, absl::string_view user) {
    Principal principal = AsPortal(user);
    principal.identity = std::string(portal);
    return tokens().ReportLeaked(principal, "nonsense");
  };
  for (int i = 0; i < 10; ++i)
    ASSERT_EQ(report("spiffe://example.org/web", absl::StrCat("user-", i)), absl::OkStatus());
  ExpectRefusal(report("spiffe://example.org/web", "bob"), absl::StatusCode::kResourceExhausted, "RATE_LIMITED");
  EXPECT_EQ(report("spiffe://example.org/other", "bob"), absl::OkStatus());
}

TEST_F(LeakedTokenTest, AStoreThatFailsIsNoGoodNews) {
  authority_.store.FailReadsWith(absl::UnavailableError("broken"));
  EXPECT_EQ(Report(token_.secret).code(), absl::StatusCode::kUnavailable);
  authority_.store.FailReadsWith(absl::OkStatus());
  authority_.store.FailCommitsWith(absl::UnavailableError("broken"));
  EXPECT_EQ(Report(token_.secret).code(), absl::StatusCode::kUnavailable);
}

}  // namespace
}  // namespace pat

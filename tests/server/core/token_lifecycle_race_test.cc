// Rules that two callers run into at the same time, over every engine: what comes out is what one of the two orders
// would have given.
#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/core/token_lifecycle.h"
#include "tests/server/core/at_the_same_time.h"
#include "tests/store/engines.h"
#include "tests/store/records_for_tests.h"
#include "tests/support/refusal.h"
#include "tests/support/test_authority.h"

namespace pat {
namespace {

constexpr int kRounds = 40;

class TokenRaceTest : public testing::TestWithParam<Engine> {
 protected:
  TokenRaceTest() {
    UserRecord user = UserNumber(1);
    user.id = "ada";
    user.uid = FirstUidOf("ada");
    EXPECT_EQ(Put(store(), user), absl::OkStatus());
  }

  void TearDown() override { EXPECT_EQ(engine_->Verify(), absl::OkStatus()); }

  TokenStore& store() { return engine_->store(); }

  CreateTokenQuery Creation(const std::string& display_name) {
    return {.parent = "users/ada",
            .display_name = display_name,
            .scopes = {"OR.Folders"},
            .expiration = RequestedDuration{.seconds = 3600}};
  }

  // A new token; a refusal fails the test.
  TokenWithSecret Issue() {
    absl::StatusOr<TokenWithSecret> made = tokens_.Create(AsUser("ada"), Creation(absl::StrCat("name ", ++named_)));
    EXPECT_TRUE(made.ok()) << made.status();
    return *std::move(made);
  }

  // What the store finds under a secret.
  std::optional<TokenRecord> Found(const Secret& secret) {
    const std::vector<TokenHmac> candidates = {parts_.peppers->Hmac(DigestOf(secret.Reveal()))};
    const absl::StatusOr<FindOutcome> outcome = store().FindByHmac(candidates, Blocking::kAllowed);
    if (!outcome.ok() || !outcome->found.has_value()) return std::nullopt;
    return outcome->found->token;
  }

  // Catalogue, pepper and clock; its store is not used.
  TestAuthority parts_;
  const std::unique_ptr<EngineUnderTest> engine_ = GetParam().make();
  AuditLog audit_{store(), *parts_.peppers, parts_.clock};
  TokenLifecycle tokens_{store(), *parts_.peppers, *parts_.catalog,          parts_.retention,
                         audit_,  parts_.clock,    [](const TokenDigest&) {}};
  int named_ = 0;
};

INSTANTIATE_TEST_SUITE_P(Every, TokenRaceTest, testing::ValuesIn(AllEngines()),
                         [](const auto& info) { return info.param.name; });

// Whoever revokes must not find the token alive under a secret that was made meanwhile.
TEST_P(TokenRaceTest, AfterARevocationThereIsNoLivingSecretWhoeverRegeneratedMeanwhile) {
  ChangePolicy(store(), [](PolicyRecord& policy) { policy.maximum_live_tokens = 1; });
  for (int round = 0; round < kRounds; ++round) {
    const TokenWithSecret token = Issue();
    const std::string name = TokenName("ada", token.token.record.uid);
    absl::StatusOr<RevokedToken> revoked;
    absl::StatusOr<TokenWithSecret> regenerated;
    AtTheSameTime({[&] { revoked = tokens_.Revoke(AsUser("ada"), {.name = name}); },
                   [&] { regenerated = tokens_.Regenerate(AsUser("ada"), {.name = name}); }});
    ASSERT_TRUE(revoked.ok()) << revoked.status();
    const TokenView view = tokens_.Get(AsUser("ada"), name).value();
    ASSERT_EQ(view.state, TokenState::kRevoked);
    ASSERT_EQ(view.record, revoked->token.record);
    if (regenerated.ok()) {
      // Regenerated, then revoked.
      ASSERT_FALSE(Found(token.secret).has_value());
      ASSERT_TRUE(Found(regenerated->secret)->revoke_time.has_value());
    } else {
      // Revoked, then refused.
      ExpectRefusal(regenerated.status(), absl::StatusCode::kFailedPrecondition, "TOKEN_REVOKED");
      ASSERT_TRUE(Found(token.secret)->revoke_time.has_value());
    }
  }
}

TEST_P(TokenRaceTest, WithTheSameEtagOneOfThemIsDone) {
  ChangePolicy(store(), [](PolicyRecord& policy) { policy.maximum_live_tokens = kRounds; });
  for (int round = 0; round < kRounds; ++round) {
    const TokenWithSecret token = Issue();
    const std::string name = TokenName("ada", token.token.record.uid);
    const std::string etag = TokenLifecycle::EtagOf(token.token.record);
    absl::StatusOr<RevokedToken> revoked;
    absl::StatusOr<TokenWithSecret> regenerated;
    AtTheSameTime({[&] { revoked = tokens_.Revoke(AsUser("ada"), {.name = name, .etag = etag}); },
                   [&] { regenerated = tokens_.Regenerate(AsUser("ada"), {.name = name, .etag = etag}); }});
    ASSERT_NE(revoked.ok(), regenerated.ok());
    if (revoked.ok()) {
      ExpectRefusal(regenerated.status(), absl::StatusCode::kFailedPrecondition, "TOKEN_REVOKED");
      ASSERT_TRUE(Found(token.secret)->revoke_time.has_value());
    } else {
      ExpectRefusal(revoked.status(), absl::StatusCode::kAborted, "ETAG_MISMATCH");
      ASSERT_FALSE(Found(token.secret).has_value());
      ASSERT_FALSE(Found(regenerated->secret)->revoke_time.has_value());
    }
  }
}

TEST_P(TokenRaceTest, OfTwoRegenerationsTheLaterSecretLivesAlone) {
  ChangePolicy(store(), [](PolicyRecord& policy) { policy.maximum_live_tokens = kRounds; });
  for (int round = 0; round < kRounds; ++round) {
    const TokenWithSecret token = Issue();
    const std::string name = TokenName("ada", token.token.record.uid);
    std::array<absl::StatusOr<TokenWithSecret>, 2> made;
    AtTheSameTime({[&] { made[0] = tokens_.Regenerate(AsUser("ada"), {.name = name}); },
                   [&] { made[1] = tokens_.Regenerate(AsUser("ada"), {.name = name}); }});
    ASSERT_TRUE(made[0].ok() && made[1].ok()) << made[0].status() << made[1].status();
    ASSERT_FALSE(Found(token.secret).has_value());
    const bool first_is_later = made[0]->token.record.change_sequence > made[1]->token.record.change_sequence;
    ASSERT_EQ(Found(made[0]->secret).has_value(), first_is_later);
    ASSERT_EQ(Found(made[1]->secret).has_value(), !first_is_later);
  }
}

TEST_P(TokenRaceTest, OneNameGoesToOneOfMany) {
  for (int round = 0; round < kRounds / 4; ++round) {
    const CreateTokenQuery query = Creation(absl::StrCat("round ", round));
    std::atomic<int> made = 0;
    std::atomic<int> taken = 0;
    AtTheSameTime(std::vector<std::function<void()>>(8, [&] {
      const absl::Status status = tokens_.Create(AsUser("ada"), query).status();
      if (status.ok()) ++made;
      if (DetailsOf(status).value_or(ErrorDetails()).reason == "DISPLAY_NAME_TAKEN") ++taken;
    }));
    ASSERT_EQ(made, 1);
    ASSERT_EQ(taken, 7);
  }
}

TEST_P(TokenRaceTest, TheLimitOfLiveTokensHolds) {
  ChangePolicy(store(), [](PolicyRecord& policy) { policy.maximum_live_tokens = 5; });
  std::atomic<int> made = 0;
  std::atomic<int> refused = 0;
  std::atomic<int> number = 0;
  AtTheSameTime(std::vector<std::function<void()>>(12, [&] {
    const absl::Status status = tokens_.Create(AsUser("ada"), Creation(absl::StrCat("token ", ++number))).status();
    if (status.ok()) ++made;
    if (DetailsOf(status).value_or(ErrorDetails()).reason == "QUOTA_EXCEEDED") ++refused;
  }));
  EXPECT_EQ(made, 5);
  EXPECT_EQ(refused, 7);
}

}  // namespace
}  // namespace pat

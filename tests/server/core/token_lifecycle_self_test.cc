// A token as the caller: it looks at itself, revokes itself and, with the scope for it, regenerates itself. Nothing
// else is its own.
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/core/token_lifecycle_test.h"

namespace pat {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

// As authentication by a bearer token makes it.
Principal AsToken(const IssuedToken& token, bool may_regenerate_itself) {
  return {.kind = PrincipalKind::kToken,
          .user_id = OwnerIdOf(token),
          .token = token.uid,
          .token_digest = token.digest,
          .may_regenerate_itself = may_regenerate_itself};
}

class TokenItselfTest : public TokenLifecycleTest {
 protected:
  IssuedToken IssueWith(const std::vector<std::string>& scopes) {
    CreateTokenQuery query = GoodCreation();
    query.scopes = scopes;
    return authority_.Issue(query);
  }

  const IssuedToken token_ = IssueWith({"OR.Folders", "PAT.SelfRegenerate"});
  const Principal itself_ = AsToken(token_, true);
};

TEST_F(TokenItselfTest, ItLooksAtItselfAndAtNoOther) {
  EXPECT_EQ(tokens().Get(itself_, token_.name)->record, View(token_).record);
  const absl::Status absent = tokens().Get(AsUser("ada"), absl::StrCat("users/ada/tokens/", kAbsentUid)).status();
  for (const std::string& name :
       {Issue().name, authority_.Issue("bob").name, absl::StrCat("users/bob/tokens/", token_.uid.ToString()),
        absl::StrCat("users/ada/tokens/", kAbsentUid), std::string("users/ada/tokens/x")}) {
    EXPECT_EQ(tokens().Get(itself_, name).status(), absent) << name;
    EXPECT_EQ(tokens().Revoke(itself_, {.name = name}).status(), absent) << name;
    EXPECT_EQ(tokens().Regenerate(itself_, {.name = name}).status(), absent) << name;
    EXPECT_EQ(tokens().Regenerate(AsToken(token_, false), {.name = name}).status(), absent) << name;
  }
}

TEST_F(TokenItselfTest, ItRevokesItself) {
  const absl::StatusOr<RevokedToken> revoked = tokens().Revoke(itself_, {.name = token_.name});
  ASSERT_TRUE(revoked.ok()) << revoked.status();
  EXPECT_EQ(View(token_).state, TokenState::kRevoked);
  const std::vector<AuditRecord> rows = authority_.engine->ListAudit({.newest_first = true}).value().rows;
  EXPECT_EQ(rows.front().principal, absl::StrCat("token:", token_.uid.ToString()));
  EXPECT_EQ(rows.front().user_id, "ada");
}

TEST_F(TokenItselfTest, ItRegeneratesItselfWithTheScope) {
  const absl::StatusOr<TokenWithSecret> made = tokens().Regenerate(itself_, {.name = token_.name});
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_EQ(made->token.expire_time, View(token_).expire_time);
  EXPECT_TRUE(Found(DigestOf(*made)).has_value());
  EXPECT_FALSE(Found(token_.digest).has_value());
}

TEST_F(TokenItselfTest, WithoutTheScopeItDoesNot) {
  const IssuedToken plain = Issue();
  const ErrorDetails details = ExpectRefusal(tokens().Regenerate(AsToken(plain, false), {.name = plain.name}).status(),
                                             absl::StatusCode::kPermissionDenied, "SCOPE_REQUIRED");
  EXPECT_THAT(details.metadata, ElementsAre(Pair("scope", "PAT.SelfRegenerate")));
  EXPECT_TRUE(Found(plain.digest).has_value());
}

TEST_F(TokenItselfTest, ItGivesItselfNoOtherEnd) {
  for (const bool dry : {true, false}) {
    EXPECT_THAT(
        ExpectInvalid(
            tokens()
                .Regenerate(itself_, {.name = token_.name, .expiration = For(absl::Hours(1)), .validate_only = dry})
                .status()),
        ElementsAre("ttl"));
    EXPECT_THAT(ExpectInvalid(tokens()
                                  .Regenerate(itself_, {.name = token_.name,
                                                        .expiration = At(Now() + absl::Hours(1)),
                                                        .validate_only = dry})
                                  .status()),
                ElementsAre("expire_time"));
  }
}

TEST_F(TokenItselfTest, NothingElseIsForIt) {
  const absl::Status refused = tokens().Create(itself_, GoodCreation()).status();
  ExpectRefusal(refused, absl::StatusCode::kPermissionDenied, "ROLE_REQUIRED");
  for (const absl::Status& status : {tokens().List(itself_, {.parent = "users/ada"}).status(),
                                     tokens().List(itself_, {.parent = "users/-"}).status(),
                                     tokens().RevokeAll(itself_, {.parent = "users/ada"}).status()}) {
    ExpectRefusal(status, absl::StatusCode::kPermissionDenied, "ROLE_REQUIRED");
  }
  EXPECT_EQ(
      tokens().Update(itself_, {.name = token_.name, .description = "d", .update_mask = {"description"}}).status(),
      refused);
}

// Between the judgement of the caller and the transaction the secret was replaced, or the token ended.
TEST_F(TokenItselfTest, WhoIsNotTheLivingOneAnyMoreDoesNothing) {
  const struct {
    const char* what;
    std::function<void()> happens;
    std::function<void()> is_undone;
  } cases[] = {
      {"owner disabled", [&] { authority_.ChangeUser("ada", [](UserRecord& user) { user.disabled = true; }); },
       [&] { authority_.ChangeUser("ada", [](UserRecord& user) { user.disabled = false; }); }},
      {"owner not local", [&] { authority_.ChangeUser("ada", [](UserRecord& user) { user.type = UserType::kSaml; }); },
       [&] { authority_.ChangeUser("ada", [](UserRecord& user) { user.type = UserType::kLocal; }); }},
      {"tokens off", [&] { authority_.ChangePolicy([](PolicyRecord& policy) { policy.tokens_disabled = true; }); },
       [&] { authority_.ChangePolicy([](PolicyRecord& policy) { policy.tokens_disabled = false; }); }},
      {"lifespan over",
       [&] { authority_.ChangePolicy([](PolicyRecord& policy) { policy.maximum_lifespan = absl::ZeroDuration(); }); },
       [&] { authority_.ChangePolicy([](PolicyRecord& policy) { policy.maximum_lifespan = absl::Hours(9000); }); }},
      {"regenerated", [&] { authority_.Regenerate(token_); }, [] {}},
      {"revoked", [&] { authority_.Revoke(token_); }, [] {}},
  };
  for (const auto& each : cases) {
    each.happens();
    const uint64_t before = CommitSequence();
    ExpectRefusal(tokens().Regenerate(itself_, {.name = token_.name}).status(), absl::StatusCode::kUnauthenticated,
                  "CREDENTIALS_INVALID");
    ExpectRefusal(tokens().Revoke(itself_, {.name = token_.name}).status(), absl::StatusCode::kUnauthenticated,
                  "CREDENTIALS_INVALID");
    EXPECT_EQ(CommitSequence(), before) << each.what;
    each.is_undone();
  }
}

TEST_F(TokenItselfTest, TheScopeIsJudgedInTheTransactionToo) {
  authority_.ChangeUser("ada", [](UserRecord& user) { user.grants = {"OR.Folders"}; });
  ExpectRefusal(tokens().Regenerate(itself_, {.name = token_.name}).status(), absl::StatusCode::kPermissionDenied,
                "SCOPE_REQUIRED");
  EXPECT_TRUE(Found(token_.digest).has_value());
  EXPECT_TRUE(tokens().Revoke(itself_, {.name = token_.name}).ok());
}

// The same request of the token and of its owner are two.
TEST_F(TokenItselfTest, RequestIdsArePerPrincipal) {
  RegenerateTokenQuery query{.name = token_.name};
  query.request.id = "again";
  const absl::StatusOr<TokenWithSecret> made = tokens().Regenerate(itself_, query);
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_TRUE(tokens().Regenerate(AsUser("ada"), query).ok());
  ExpectRefusal(tokens().Regenerate(AsUser("ada"), query).status(), absl::StatusCode::kAlreadyExists,
                "REQUEST_REPLAYED");
  // With its old secret it is nobody, a replay or not.
  ExpectRefusal(tokens().Regenerate(itself_, query).status(), absl::StatusCode::kUnauthenticated,
                "CREDENTIALS_INVALID");
}

// ---- A portal, and others

TEST_F(TokenItselfTest, APortalIsNeverAnAdministrator) {
  Principal portal = AsPortal("root");
  portal.administrator = true;
  ExpectRefusal(tokens().Get(portal, token_.name).status(), absl::StatusCode::kNotFound, "TOKEN_NOT_FOUND");
  ExpectRefusal(tokens().Revoke(portal, {.name = token_.name}).status(), absl::StatusCode::kNotFound,
                "TOKEN_NOT_FOUND");
  ExpectRefusal(tokens().List(portal, {.parent = "users/-"}).status(), absl::StatusCode::kPermissionDenied,
                "ROLE_REQUIRED");
}

TEST_F(TokenItselfTest, WhoIsNoOwnerOwnsNothing) {
  for (const PrincipalKind kind : {PrincipalKind::kNobody, PrincipalKind::kIntrospector}) {
    const Principal other{.kind = kind, .user_id = "ada", .administrator = true};
    ExpectRefusal(tokens().Get(other, token_.name).status(), absl::StatusCode::kNotFound, "TOKEN_NOT_FOUND");
    ExpectRefusal(tokens().Create(other, GoodCreation()).status(), absl::StatusCode::kPermissionDenied,
                  "ROLE_REQUIRED");
    ExpectRefusal(tokens().List(other, {.parent = "users/ada"}).status(), absl::StatusCode::kPermissionDenied,
                  "ROLE_REQUIRED");
  }
}

}  // namespace
}  // namespace pat

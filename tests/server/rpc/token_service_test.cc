// TokenService over gRPC: revoking all, reporting a leak, what a token may do by itself, and what nobody can tell
// apart. The rest of it goes through a real daemon in tests/e2e.
#include "server/rpc/token_service.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/rpc/management_server.h"
#include "tests/support/plain_secret.h"

namespace pat {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kAbsentName[] = "users/bob/tokens/0b6e2d43-7a1f-4c58-9d0e-5f2a8c417be3";

class TokenServiceTest : public ManagementTest {
 protected:
  static v1::RevokeAllTokensRequest AllOf(const std::string& parent, bool validate_only = false) {
    v1::RevokeAllTokensRequest request;
    request.set_parent(parent);
    request.set_validate_only(validate_only);
    return request;
  }
  static v1::ReportLeakedTokenRequest Leak(const std::string& secret) {
    v1::ReportLeakedTokenRequest request;
    request.set_secret(secret);
    return request;
  }
  Answer<v1::GetTokenResponse> Get(const std::string& name, const Metadata& metadata) {
    v1::GetTokenRequest request;
    request.set_name(name);
    return Call(&Tokens::GetToken, request, metadata);
  }
  v1::Token::State StateOf(const IssuedToken& token) {
    const auto answer = Get(token.name, As("admin"));
    EXPECT_EQ(Outcome(answer), "OK");
    return answer.message.token().state();
  }
};

// ---- Revoking all.

TEST_F(TokenServiceTest, AllTokensOfAUserEndTogether) {
  const IssuedToken first = authority_.Issue("ada");
  const IssuedToken second = authority_.Issue("ada");
  authority_.Revoke(authority_.Issue("ada"));
  const IssuedToken others = authority_.Issue("bob");

  const auto dry = Call(&Tokens::RevokeAllTokens, AllOf("users/ada", /*validate_only=*/true), As("ada"));
  ASSERT_EQ(Outcome(dry), "OK");
  EXPECT_EQ(dry.message.revoked_count(), 2);
  EXPECT_EQ(StateOf(first), v1::Token::STATE_ACTIVE);

  const auto done = Call(&Tokens::RevokeAllTokens, AllOf("users/ada"), As("ada"));
  ASSERT_EQ(Outcome(done), "OK");
  EXPECT_EQ(done.message.revoked_count(), 2);
  EXPECT_GE(done.message.last_accept_time().seconds(), absl::ToUnixSeconds(authority_.clock.Now()));
  EXPECT_EQ(StateOf(first), v1::Token::STATE_REVOKED);
  EXPECT_EQ(StateOf(second), v1::Token::STATE_REVOKED);
  EXPECT_EQ(StateOf(others), v1::Token::STATE_ACTIVE);

  const auto again = Call(&Tokens::RevokeAllTokens, AllOf("users/ada"), As("ada"));
  ASSERT_EQ(Outcome(again), "OK");
  EXPECT_EQ(again.message.revoked_count(), 0);
}

TEST_F(TokenServiceTest, EverybodysTokensAreForAdministrators) {
  authority_.Issue("ada");
  authority_.Issue("bob");
  for (const char* parent : {"users/-", "users/bob", "users/eve"}) {
    EXPECT_EQ(Outcome(Call(&Tokens::RevokeAllTokens, AllOf(parent), As("ada"))), "PERMISSION_DENIED ROLE_REQUIRED");
  }
  EXPECT_THAT(FieldsOf(Call(&Tokens::RevokeAllTokens, AllOf("ada")).status), ElementsAre("parent"));
  const auto done = Call(&Tokens::RevokeAllTokens, AllOf("users/-"));
  ASSERT_EQ(Outcome(done), "OK");
  EXPECT_EQ(done.message.revoked_count(), 2);
}

// ---- Leaks.

TEST_F(TokenServiceTest, WhoeverHoldsASecretMayEndItsToken) {
  // A user, whose token it is not; an introspector; a portal; the token itself.
  for (const Metadata& metadata : {As("bob"), Metadata(), AsPortalFor("bob")}) {
    const IssuedToken token = authority_.Issue("ada");
    EXPECT_EQ(Outcome(Call(&Tokens::ReportLeakedToken, Leak(token.secret), metadata)), "OK");
    EXPECT_EQ(StateOf(token), v1::Token::STATE_REVOKED);
  }
  const IssuedToken token = authority_.Issue("ada");
  EXPECT_EQ(Outcome(Call(&Tokens::ReportLeakedToken, Leak(token.secret), Bearing(token.secret))), "OK");
  EXPECT_EQ(StateOf(token), v1::Token::STATE_REVOKED);
}

TEST_F(TokenServiceTest, AnUnknownSecretGetsTheSameAnswerAndWritesNothing) {
  const uint64_t before = authority_.engine->CommitSequence();
  for (const std::string& secret : {NewPlainSecret(), std::string("no token at all"), std::string(1024, 'x')}) {
    EXPECT_EQ(Outcome(Call(&Tokens::ReportLeakedToken, Leak(secret), As("ada"))), "OK");
  }
  EXPECT_EQ(authority_.engine->CommitSequence(), before);
  for (const std::string& secret : {std::string(), std::string(1025, 'x')}) {
    const auto refused = Call(&Tokens::ReportLeakedToken, Leak(secret), As("ada"));
    EXPECT_EQ(Outcome(refused), "INVALID_ARGUMENT INVALID_REQUEST");
    EXPECT_THAT(FieldsOf(refused.status), ElementsAre("secret"));
  }
}

TEST_F(TokenServiceTest, ASecretThatWasReportedIsWrittenNowhere) {
  const IssuedToken token = authority_.Issue("ada");
  ASSERT_EQ(Outcome(Call(&Tokens::ReportLeakedToken, Leak(token.secret), As("bob"))), "OK");
  EXPECT_FALSE(Call(&Tokens::ReportLeakedToken, Leak(""), As("bob")).status.ok());
  const std::vector<std::string> lines = AuditLines();
  EXPECT_THAT(lines,
              testing::Contains(absl::StrCat("user:bob pat.v1.TokenService/ReportLeakedToken ", token.name, " OK")));
  for (const std::string& line : lines) EXPECT_THAT(line, Not(HasSubstr(token.secret)));
}

// ---- A token by itself.

TEST_F(TokenServiceTest, ATokenLooksAtAndEndsItselfAndNothingElse) {
  const IssuedToken token = authority_.Issue("ada");
  const IssuedToken sibling = authority_.Issue("ada");
  const Metadata bearing = Bearing(token.secret);
  EXPECT_EQ(Outcome(Get(token.name, bearing)), "OK");
  EXPECT_EQ(Outcome(Get(sibling.name, bearing)), "NOT_FOUND TOKEN_NOT_FOUND");
  EXPECT_EQ(Outcome(Get(kAbsentName, bearing)), "NOT_FOUND TOKEN_NOT_FOUND");

  v1::ListTokensRequest list;
  list.set_parent("users/ada");
  EXPECT_EQ(Outcome(Call(&Tokens::ListTokens, list, bearing)), "PERMISSION_DENIED ROLE_REQUIRED");
  EXPECT_EQ(Outcome(Call(&Tokens::CreateToken, v1::CreateTokenRequest(), bearing)), "PERMISSION_DENIED ROLE_REQUIRED");
  EXPECT_EQ(Outcome(Call(&Users::ListUsers, v1::ListUsersRequest(), bearing)), "PERMISSION_DENIED ROLE_REQUIRED");

  v1::RevokeTokenRequest revoke;
  revoke.set_name(sibling.name);
  EXPECT_EQ(Outcome(Call(&Tokens::RevokeToken, revoke, bearing)), "NOT_FOUND TOKEN_NOT_FOUND");
  revoke.set_name(token.name);
  EXPECT_EQ(Outcome(Call(&Tokens::RevokeToken, revoke, bearing)), "OK");
  EXPECT_EQ(Outcome(Get(token.name, bearing)), "UNAUTHENTICATED CREDENTIALS_INVALID");
}

TEST_F(TokenServiceTest, ATokenRegeneratesItselfOnlyWithTheScopeForIt) {
  const IssuedToken plain = authority_.Issue("ada");
  v1::RegenerateTokenRequest request;
  request.set_name(plain.name);
  const auto refused = Call(&Tokens::RegenerateToken, request, Bearing(plain.secret));
  EXPECT_EQ(Outcome(refused), "PERMISSION_DENIED SCOPE_REQUIRED");
  const auto infos = DetailsOfType<google::rpc::ErrorInfo>(refused.status);
  ASSERT_EQ(infos.size(), 1);
  EXPECT_EQ(infos[0].metadata().at("scope"), "PAT.SelfRegenerate");

  CreateTokenQuery query = authority_.GoodCreation("ada");
  query.scopes.emplace_back("PAT.SelfRegenerate");
  const IssuedToken able = authority_.Issue(query);
  request.set_name(able.name);
  const auto done = Call(&Tokens::RegenerateToken, request, Bearing(able.secret));
  ASSERT_EQ(Outcome(done), "OK");
  EXPECT_EQ(Outcome(Get(able.name, Bearing(able.secret))), "UNAUTHENTICATED CREDENTIALS_INVALID");
  EXPECT_EQ(Outcome(Get(able.name, Bearing(done.message.secret()))), "OK");
}

// ---- What nobody can tell apart.

TEST_F(TokenServiceTest, AForeignTokenAndAnAbsentOneAreTheSameBytes) {
  const IssuedToken foreign = authority_.Issue("bob");
  const auto there = Get(foreign.name, As("ada"));
  const auto absent = Get(kAbsentName, As("ada"));
  EXPECT_EQ(Outcome(there), "NOT_FOUND TOKEN_NOT_FOUND");
  EXPECT_EQ(there.status.error_message(), absent.status.error_message());
  EXPECT_EQ(there.status.error_details(), absent.status.error_details());
}

// ---- What is shown.

TEST_F(TokenServiceTest, TheLastUseIsShown) {
  const IssuedToken token = authority_.Issue("ada");
  EXPECT_FALSE(Get(token.name, As("ada")).message.token().has_last_use_time());
  const absl::Time used = authority_.clock.Now();
  const absl::Status noted = authority_.engine->Commit([&](TokenTransaction& transaction) -> absl::StatusOr<Decision> {
    if (absl::Status status = transaction.NoteUse(token.uid, used); !status.ok()) return status;
    return Decision::kCommit;
  });
  ASSERT_TRUE(noted.ok()) << noted;
  const auto answer = Get(token.name, As("ada"));
  const int64_t seconds = absl::ToUnixSeconds(used);
  EXPECT_EQ(answer.message.token().last_use_time().seconds(), seconds - seconds % 60);
}

}  // namespace
}  // namespace pat

// Whoever shows a personal access token.
#include <atomic>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/authn/authenticator.h"
#include "server/core/error.h"
#include "server/core/facts_reader.h"
#include "server/core/principal.h"
#include "tests/server/authn/authenticator_test.h"
#include "tests/support/test_authority.h"

namespace pat {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class AuthenticatorTokenTest : public AuthenticatorTest {
 protected:
  IssuedToken IssueWith(std::vector<std::string> scopes) {
    CreateTokenQuery query = authority_.GoodCreation("ada");
    query.scopes = std::move(scopes);
    return authority_.Issue(query);
  }

  absl::Status Inactive() { return Authenticate({"Bearer nonsense"}).status(); }
};

TEST_F(AuthenticatorTokenTest, AnActiveTokenStandsForItselfAndItsOwner) {
  const IssuedToken token = authority_.Issue("ada");
  const absl::StatusOr<Principal> principal = Authenticate({Bearer(token)});
  ASSERT_TRUE(principal.ok()) << principal.status();
  EXPECT_EQ(principal->kind, PrincipalKind::kToken);
  EXPECT_EQ(principal->user_id, "ada");
  EXPECT_EQ(principal->token, token.uid);
  EXPECT_EQ(principal->token_digest, token.digest);
  EXPECT_FALSE(principal->may_regenerate_itself);
  EXPECT_FALSE(principal->may_send_digests);
}

TEST_F(AuthenticatorTokenTest, AnAdministratorsTokenIsNoAdministrator) {
  EXPECT_FALSE(Authenticate({Bearer(authority_.Issue("admin"))})->administrator);
}

TEST_F(AuthenticatorTokenTest, ItsScopesSayWhetherItMayRegenerateItself) {
  const IssuedToken token = IssueWith({"OR.Folders", "PAT.SelfRegenerate"});
  EXPECT_TRUE(Authenticate({Bearer(token)})->may_regenerate_itself);
  // Effective ones: what the owner has not, the token has not.
  authority_.ChangeUser("ada", [](UserRecord& user) { user.grants = {"OR.Folders"}; });
  const absl::StatusOr<Principal> principal = Authenticate({Bearer(token)});
  ASSERT_TRUE(principal.ok());
  EXPECT_FALSE(principal->may_regenerate_itself);
}

TEST_F(AuthenticatorTokenTest, TheSchemeIsCaseInsensitiveAndTheTokenIsNot) {
  const IssuedToken token = authority_.Issue("ada");
  for (const char* scheme : {"Bearer ", "bearer ", "BEARER ", "bEaReR "}) {
    EXPECT_TRUE(Authenticate({scheme + token.secret}).ok()) << scheme;
  }
  EXPECT_EQ(Authenticate({"Bearer PAT" + token.secret.substr(3)}).status(), Inactive());
}

// Whoever shows a dead or made-up token learns nothing about it.
TEST_F(AuthenticatorTokenTest, EveryTokenThatIsNotActiveGetsTheSameAnswer) {
  EXPECT_EQ(Outcome(Inactive()), kInvalid);
  const auto expect_inactive = [this](const IssuedToken& token, const char* why) {
    EXPECT_EQ(Authenticate({Bearer(token)}).status(), Inactive()) << why;
  };
  const IssuedToken revoked = authority_.Issue("ada");
  authority_.Revoke(revoked);
  expect_inactive(revoked, "revoked");

  const IssuedToken replaced = authority_.Issue("ada");
  const IssuedToken current = authority_.Regenerate(replaced);
  expect_inactive(replaced, "replaced");
  EXPECT_TRUE(Authenticate({Bearer(current)}).ok());

  TestAuthority elsewhere;
  elsewhere.AddUser("ada");
  expect_inactive(elsewhere.Issue("ada"), "of another authority");

  authority_.ChangeUser("ada", [](UserRecord& user) { user.disabled = true; });
  expect_inactive(current, "of somebody who is disabled");
  authority_.ChangeUser("ada", [](UserRecord& user) {
    user.disabled = false;
    user.type = UserType::kSaml;
  });
  expect_inactive(current, "of somebody who is not local");
  authority_.ChangeUser("ada", [](UserRecord& user) { user.type = UserType::kLocal; });
  EXPECT_TRUE(Authenticate({Bearer(current)}).ok());
  authority_.time.Advance(absl::Hours(24 * 31));
  expect_inactive(current, "expired");
}

TEST_F(AuthenticatorTokenTest, ItExpiresToTheNanosecond) {
  const IssuedToken token = authority_.Issue("ada");
  authority_.time.Advance(absl::Hours(24 * 30) - absl::Nanoseconds(1));
  EXPECT_TRUE(Authenticate({Bearer(token)}).ok());
  authority_.time.Advance(absl::Nanoseconds(1));
  EXPECT_EQ(Outcome(Authenticate({Bearer(token)})), kInvalid);
}

TEST_F(AuthenticatorTokenTest, WhatHasNotTheFormOfATokenIsRefusedWithoutARead) {
  const std::string good = authority_.Issue("ada").secret;
  FailReads();
  std::string wrong_check_sum = good;
  wrong_check_sum.back() = good.back() == 'a' ? 'b' : 'a';
  for (const std::string& secret :
       {std::string(), std::string(" "), wrong_check_sum, " " + good, good + " ", good + std::string(1, '\0'),
        absl::StrCat(good, ",", good), good.substr(0, 52), good.substr(4), std::string("pat_"), std::string(1000, 'x'),
        std::string("YWRhOmFkYS1wYXNzd29yZA==")}) {
    EXPECT_EQ(Authenticate({"Bearer " + secret}).status(), Inactive());
  }
}

TEST_F(AuthenticatorTokenTest, NoErrorRepeatsTheToken) {
  const IssuedToken token = authority_.Issue("ada");
  authority_.Revoke(token);
  for (const Headers& headers : {Headers{Bearer(token)}, Headers{Bearer(token) + " "},
                                 Headers{Bearer(token), Bearer(token)}, Headers{"Basic " + token.secret}}) {
    const absl::Status status = Authenticate(headers).status();
    EXPECT_EQ(Outcome(status), kInvalid);
    EXPECT_THAT(status.ToString(), Not(HasSubstr(token.secret.substr(4, 10))));
  }
}

TEST_F(AuthenticatorTokenTest, ManyWrongTokensRefuseNobody) {
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(Outcome(Authenticate({"Bearer pat_x"})), kInvalid);
  EXPECT_EQ(Outcome(Authenticate({Basic("ada", kPassword)})), "user:ada");
}

// ---- How it is asked for.

// Counts what it is asked and how.
class CountingReader final : public FactsReader {
 public:
  explicit CountingReader(FactsReader& below) : below_(below) {}

  void Find(const TokenDigest& digest, const FindOptions& options, FactsReceiver& receiver) override {
    ++calls;
    EXPECT_EQ(options.max_staleness, absl::ZeroDuration());
    below_.Find(digest, options, receiver);
  }

  std::atomic<int> calls = 0;

 private:
  FactsReader& below_;
};

TEST_F(AuthenticatorTokenTest, EachCallAsksTheStoreAnew) {
  CountingReader reader(authority_.facts);
  Authenticator authenticator(identities_, authority_.store, passwords_, reader);
  const IssuedToken token = authority_.Issue("ada");
  const std::string header = Bearer(token);
  for (int i = 1; i <= 3; ++i) {
    EXPECT_TRUE(authenticator.Authenticate({.authorization = {header}}).ok());
    EXPECT_EQ(reader.calls, i);
  }
  authority_.Revoke(token);
  EXPECT_EQ(Outcome(authenticator.Authenticate({.authorization = {header}})), kInvalid);
}

// A reader that lends an answer whose token has just expired: what is lent is judged too.
class LateReader final : public FactsReader {
 public:
  void Find(const TokenDigest& /*digest*/, const FindOptions& /*options*/, FactsReceiver& receiver) override {
    TokenFacts facts;
    facts.owner_id = "ada";
    facts.expire_time = absl::UnixEpoch();
    FactsAnswer answer;
    answer.facts = &facts;
    answer.now = absl::UnixEpoch() + late;
    receiver.Receive(answer);
  }
  absl::Duration late = {};
};

TEST_F(AuthenticatorTokenTest, AnExpiredAnswerIsNone) {
  LateReader reader;
  Authenticator authenticator(identities_, authority_.store, passwords_, reader);
  const std::string header = Bearer(authority_.Issue("ada"));
  EXPECT_EQ(Outcome(authenticator.Authenticate({.authorization = {header}})), kInvalid);
  reader.late = -absl::Nanoseconds(1);
  EXPECT_TRUE(authenticator.Authenticate({.authorization = {header}}).ok());
}

}  // namespace
}  // namespace pat

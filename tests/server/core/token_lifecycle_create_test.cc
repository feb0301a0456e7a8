// How tokens begin: what is made, what is refused, in which order, and what a dry run is. Requests that are repeated
// are in token_lifecycle_replay_test.cc.
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/core/token_lifecycle_test.h"

namespace pat {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

using TokenCreationTest = TokenLifecycleTest;

TEST_F(TokenCreationTest, ANewTokenIsWhatWasAskedFor) {
  CreateTokenQuery query = GoodCreation();
  query.description = "for the build server";
  query.scopes = {"TM.Defects", "OR.Folders.Read"};
  query.audiences = {"https://builds.example"};
  query.expiration = At(Now() + kDay);
  const absl::StatusOr<TokenWithSecret> made = Create(query);
  ASSERT_TRUE(made.ok()) << made.status();
  const TokenRecord& record = made->token.record;
  EXPECT_EQ(record.owner_id, "ada");
  EXPECT_EQ(record.display_name, query.display_name);
  EXPECT_EQ(record.description, query.description);
  EXPECT_EQ(record.scopes, query.scopes);
  EXPECT_EQ(record.audiences, query.audiences);
  EXPECT_EQ(record.create_time, Now());
  EXPECT_EQ(record.expire_time, Now() + kDay);
  EXPECT_EQ(record.revoke_time, std::nullopt);
  EXPECT_EQ(record.regenerate_time, std::nullopt);
  EXPECT_EQ(made->token.state, TokenState::kActive);
  EXPECT_EQ(made->token.expire_time, Now() + kDay);

  // The answer is what is kept.
  EXPECT_EQ(View(NameOf(made->token)).record, record);
}

TEST_F(TokenCreationTest, ASecretIsFoundUnderItsHmacAndSharesNothingWithTheName) {
  const absl::StatusOr<TokenWithSecret> made = Create(GoodCreation());
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_TRUE(HasSecretForm(made->secret.Reveal()));
  ASSERT_TRUE(Found(DigestOf(*made)).has_value());
  EXPECT_EQ(Found(DigestOf(*made))->uid, made->token.record.uid);

  const absl::StatusOr<TokenWithSecret> another = Create(GoodCreation());
  ASSERT_TRUE(another.ok()) << another.status();
  EXPECT_FALSE(another->secret == made->secret);
  EXPECT_NE(another->token.record.uid, made->token.record.uid);
}

// RFC 9562, version 4: random.
TEST_F(TokenCreationTest, AUidIsARandomUuid) {
  const std::string uid = Issue().uid.ToString();
  EXPECT_EQ(uid[14], '4');
  EXPECT_TRUE(absl::StrContains("89ab", uid.substr(19, 1))) << uid;
}

// ---- The order: authorise, validate, look up.

TEST_F(TokenCreationTest, UnderSomebodyElsesParentNothingElseIsSaid) {
  const IssuedToken existing = Issue();
  CreateTokenQuery query = GoodCreation();
  query.parent = "users/bob";
  const absl::Status refused = tokens().Create(AsUser("ada"), query).status();
  ExpectRefusal(refused, absl::StatusCode::kPermissionDenied, "ROLE_REQUIRED");

  // Whatever is wrong with the request besides, and whether that user exists or not: the same bytes.
  query.display_name.clear();
  query.scopes = {"No.Such"};
  query.expiration = NotRequested();
  query.request.id = "\n";
  for (const absl::string_view parent : {"users/bob", "users/nobody"}) {
    query.parent = std::string(parent);
    EXPECT_EQ(tokens().Create(AsUser("ada"), query).status(), refused);
    EXPECT_EQ(tokens().Create(AsPortal("ada"), query).status(), refused);
  }
}

// It would hand over a secret.
TEST_F(TokenCreationTest, AnAdministratorCreatesForNobodyElse) {
  ExpectRefusal(tokens().Create(AsAdministrator("root"), GoodCreation()).status(), absl::StatusCode::kPermissionDenied,
                "ROLE_REQUIRED");
  EXPECT_THAT(Listed(), IsEmpty());
  EXPECT_TRUE(tokens().Create(AsAdministrator("root"), authority_.GoodCreation("root")).ok());
}

TEST_F(TokenCreationTest, APortalCreatesForItsUser) {
  EXPECT_TRUE(tokens().Create(AsPortal("ada"), GoodCreation()).ok());
}

TEST_F(TokenCreationTest, EverythingThatIsWrongIsSaidAtOnce) {
  const CreateTokenQuery query{.parent = "ada",
                               .display_name = "",
                               .description = "\x1b",
                               .scopes = {"OR.Folders", "No.Such"},
                               .audiences = {"a b"},
                               .request = {.id = "\n"}};
  EXPECT_THAT(ExpectInvalid(Create(query).status()), ElementsAre("parent", "display_name", "description", "scopes[1]",
                                                                 "audiences[0]", "expire_time", "request_id"));
}

// Also if the request has an id, for which the store has to be asked first.
TEST_F(TokenCreationTest, EverythingThatIsWrongIsSaidAtOnceToARequestWithAnId) {
  const CreateTokenQuery query{
      .parent = "users/-", .scopes = {}, .expiration = For(kDay * 366), .request = {.id = "id", .body_hash = {1}}};
  const uint64_t before = CommitSequence();
  EXPECT_THAT(ExpectInvalid(Create(query).status()), ElementsAre("parent", "display_name", "scopes", "ttl"));
  EXPECT_EQ(CommitSequence(), before);
}

TEST_F(TokenCreationTest, TheFormIsJudgedBeforeAnythingIsLookedUp) {
  authority_.ChangeUser("ada", [](UserRecord& user) { user.type = UserType::kSaml; });
  CreateTokenQuery query = GoodCreation();
  query.scopes.clear();
  EXPECT_THAT(ExpectInvalid(Create(query).status()), ElementsAre("scopes"));
}

// All mutations wait for each other in the transaction: what does not depend on what is kept is not worked out there.
TEST_F(TokenCreationTest, TheFormIsJudgedAndTheRecordMadeBeforeTheTransaction) {
  for (const char* const request_id : {"", "id"}) {
    CreateTokenQuery query = GoodCreation();
    query.request = {.id = request_id, .body_hash = {1}};
    const CreateTokenQuery asked = query;
    authority_.store.BeforeCommit([&query] {
      query.display_name.clear();
      query.description = "\x1b";
      query.scopes = {"No.Such"};
      query.audiences = {"a b"};
    });
    const absl::StatusOr<TokenWithSecret> made = Create(query);
    ASSERT_TRUE(made.ok()) << made.status();
    const TokenRecord kept = View(NameOf(made->token)).record;
    EXPECT_EQ(kept.display_name, asked.display_name);
    EXPECT_EQ(kept.scopes, asked.scopes);

    // The other way round too.
    CreateTokenQuery wrong = GoodCreation();
    wrong.request = {.id = "wrong", .body_hash = {2}};
    wrong.scopes = {"No.Such"};
    authority_.store.BeforeCommit([&wrong] { wrong.scopes = {"OR.Folders"}; });
    EXPECT_THAT(ExpectInvalid(Create(wrong).status()), ElementsAre("scopes[0]"));
  }
}

TEST_F(TokenCreationTest, ATokenNeedsAnEnd) {
  CreateTokenQuery query = GoodCreation();
  query.expiration = NotRequested();
  EXPECT_THAT(ExpectInvalid(Create(query).status()), ElementsAre("expire_time"));
}

// ---- Who may have tokens

// Such a user has no password; a portal acts for it.
TEST_F(TokenCreationTest, OnlyLocalUsersHaveTokens) {
  for (const UserType type : {UserType::kDirectory, UserType::kSaml}) {
    authority_.ChangeUser("ada", [type](UserRecord& user) { user.type = type; });
    ExpectRefusal(tokens().Create(AsPortal("ada"), GoodCreation()).status(), absl::StatusCode::kFailedPrecondition,
                  "USER_NOT_LOCAL");
  }
  authority_.ChangeUser("ada", [](UserRecord& user) { user.type = UserType::kLocal; });
  EXPECT_TRUE(Create(GoodCreation()).ok());
}

TEST_F(TokenCreationTest, ADisabledUserGetsNone) {
  authority_.ChangeUser("ada", [](UserRecord& user) { user.disabled = true; });
  ExpectRefusal(tokens().Create(AsPortal("ada"), GoodCreation()).status(), absl::StatusCode::kFailedPrecondition,
                "USER_DISABLED");
}

TEST_F(TokenCreationTest, WhoHasNoAccountGetsNone) {
  const CreateTokenQuery query = authority_.GoodCreation("nobody");
  ExpectRefusal(tokens().Create(authority_.Anew(AsPortal("nobody")), query).status(), absl::StatusCode::kNotFound,
                "USER_NOT_FOUND");
}

// ---- Names

TEST_F(TokenCreationTest, TwoLiveTokensOfAUserHaveTwoNames) {
  const CreateTokenQuery query = GoodCreation();
  const IssuedToken token = authority_.Issue(query);
  const ErrorDetails details =
      ExpectRefusal(Create(query).status(), absl::StatusCode::kAlreadyExists, "DISPLAY_NAME_TAKEN");
  EXPECT_THAT(details.metadata, ElementsAre(Pair("token", token.name)));

  CreateTokenQuery of_bob = query;
  of_bob.parent = "users/bob";
  EXPECT_TRUE(tokens().Create(AsUser("bob"), of_bob).ok());
}

TEST_F(TokenCreationTest, ARevokedTokensNameIsFree) {
  const CreateTokenQuery query = GoodCreation();
  const IssuedToken token = authority_.Issue(query);
  authority_.Revoke(token);
  EXPECT_TRUE(Create(query).ok());
  ExpectRefusal(Create(query).status(), absl::StatusCode::kAlreadyExists, "DISPLAY_NAME_TAKEN");
}

TEST_F(TokenCreationTest, ANameIsFreeAtTheInstantAtWhichItsTokenExpires) {
  CreateTokenQuery query = GoodCreation();
  query.expiration = For(kDay);
  authority_.Issue(query);
  const absl::Time end = Now() + kDay;
  AdvanceTo(end - kTick);
  ExpectRefusal(Create(query).status(), absl::StatusCode::kAlreadyExists, "DISPLAY_NAME_TAKEN");
  AdvanceTo(end);
  EXPECT_TRUE(Create(query).ok());
}

// ---- How many

TEST_F(TokenCreationTest, AUserHasAtMostFiftyLiveTokens) {
  std::vector<IssuedToken> issued;
  for (int i = 0; i < 50; ++i) issued.push_back(Issue());
  const ErrorDetails details =
      ExpectRefusal(Create(GoodCreation()).status(), absl::StatusCode::kResourceExhausted, "QUOTA_EXCEEDED");
  EXPECT_EQ(details.quota_subject, "users/ada");
  EXPECT_TRUE(tokens().Create(AsUser("bob"), authority_.GoodCreation("bob")).ok());

  authority_.Revoke(issued[20]);
  EXPECT_TRUE(Create(GoodCreation()).ok());
  ExpectRefusal(Create(GoodCreation()).status(), absl::StatusCode::kResourceExhausted, "QUOTA_EXCEEDED");
}

TEST_F(TokenCreationTest, AnExpiredTokenDoesNotCountFromItsInstantOn) {
  authority_.ChangePolicy([](PolicyRecord& policy) { policy.maximum_live_tokens = 2; });
  CreateTokenQuery short_one = GoodCreation();
  short_one.expiration = For(kDay);
  authority_.Issue(short_one);
  Issue();
  const absl::Time end = Now() + kDay;
  AdvanceTo(end - kTick);
  ExpectRefusal(Create(GoodCreation()).status(), absl::StatusCode::kResourceExhausted, "QUOTA_EXCEEDED");
  AdvanceTo(end);
  EXPECT_TRUE(Create(GoodCreation()).ok());
  ExpectRefusal(Create(GoodCreation()).status(), absl::StatusCode::kResourceExhausted, "QUOTA_EXCEEDED");
}

// ---- A dry run

TEST_F(TokenCreationTest, ADryRunLeavesNothing) {
  int told = 0;
  authority_.on_new_secret = [&told](const TokenDigest&) { ++told; };
  CreateTokenQuery query = GoodCreation();
  query.request = {.id = "id", .body_hash = {1}};
  query.validate_only = true;
  const uint64_t before = CommitSequence();
  const absl::StatusOr<TokenWithSecret> dry = Create(query);
  ASSERT_TRUE(dry.ok()) << dry.status();
  EXPECT_TRUE(dry->secret.empty());
  EXPECT_EQ(dry->token.record.display_name, query.display_name);
  EXPECT_EQ(dry->token.expire_time, Now() + 30 * kDay);
  EXPECT_EQ(CommitSequence(), before);
  EXPECT_THAT(Listed(/*show_revoked=*/true), IsEmpty());
  EXPECT_EQ(told, 0);

  // Neither the name nor the id of the request is used up; not even another body under the id matters.
  query.validate_only = false;
  query.request.body_hash = {2};
  EXPECT_TRUE(Create(query).ok());
  EXPECT_EQ(told, 1);
}

TEST_F(TokenCreationTest, ADryRunChecksEverything) {
  const auto expect = [this](const CreateTokenQuery& query, absl::StatusCode code, absl::string_view reason) {
    CreateTokenQuery dry = query;
    dry.validate_only = true;
    ExpectRefusal(Create(dry).status(), code, reason);
  };
  CreateTokenQuery first = GoodCreation();
  first.request = {.id = "id", .body_hash = {1}};
  authority_.Issue(first);

  CreateTokenQuery query = GoodCreation();
  query.parent = "users/bob";
  expect(query, absl::StatusCode::kPermissionDenied, "ROLE_REQUIRED");
  query = GoodCreation();
  query.scopes.clear();
  expect(query, absl::StatusCode::kInvalidArgument, "INVALID_REQUEST");
  expect(first, absl::StatusCode::kAlreadyExists, "REQUEST_REPLAYED");
  first.request.body_hash = {2};
  expect(first, absl::StatusCode::kInvalidArgument, "REQUEST_ID_REUSED");
  first.request = {};
  expect(first, absl::StatusCode::kAlreadyExists, "DISPLAY_NAME_TAKEN");
  authority_.ChangePolicy([](PolicyRecord& policy) { policy.maximum_live_tokens = 1; });
  expect(GoodCreation(), absl::StatusCode::kResourceExhausted, "QUOTA_EXCEEDED");
  authority_.ChangeUser("ada", [](UserRecord& user) { user.type = UserType::kDirectory; });
  expect(GoodCreation(), absl::StatusCode::kUnauthenticated, "CREDENTIALS_INVALID");
}

// ---- Who is told of a new secret, and when

// The cache must not say "unknown" any more when the caller has the secret, and there must be something to find then.
TEST_F(TokenCreationTest, TheListenerIsToldAfterItIsDurableAndBeforeItIsShown) {
  std::vector<TokenDigest> told;
  bool returned = false;
  authority_.on_new_secret = [&](const TokenDigest& digest) {
    EXPECT_TRUE(Found(digest).has_value());
    EXPECT_FALSE(returned);
    told.push_back(digest);
  };
  const absl::StatusOr<TokenWithSecret> made = Create(GoodCreation());
  returned = true;
  ASSERT_TRUE(made.ok()) << made.status();
  ASSERT_EQ(told.size(), 1);
  EXPECT_TRUE(told[0] == DigestOf(*made));
}

TEST_F(TokenCreationTest, TheListenerIsNotToldOfWhatWasNotMade) {
  authority_.on_new_secret = [](const TokenDigest&) { ADD_FAILURE() << "nothing was made"; };
  CreateTokenQuery query = GoodCreation();
  query.scopes.clear();
  EXPECT_FALSE(Create(query).ok());
  authority_.ChangePolicy([](PolicyRecord& policy) { policy.maximum_live_tokens = 0; });
  EXPECT_FALSE(Create(GoodCreation()).ok());
  authority_.ChangePolicy([](PolicyRecord& policy) { policy.maximum_live_tokens = 50; });

  // An error of the store is passed on without details, so that its text does not leave the process.
  authority_.store.FailCommitsWith(absl::UnavailableError("no disk"));
  const absl::Status failed = Create(GoodCreation()).status();
  EXPECT_EQ(failed, absl::UnavailableError("no disk"));
  EXPECT_FALSE(DetailsOf(failed).has_value());
}

}  // namespace
}  // namespace pat

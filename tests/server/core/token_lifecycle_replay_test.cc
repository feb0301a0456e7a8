// Requests that are repeated: a request_id makes sure that something is done once only, for 24 hours.
#include <atomic>
#include <optional>
#include <string>
#include <thread>
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
using ::testing::SizeIs;

class TokenReplayTest : public TokenLifecycleTest {
 protected:
  // A good creation with an id.
  CreateTokenQuery WithId(const std::string& id = "id") {
    CreateTokenQuery query = GoodCreation();
    query.request = {.id = id, .body_hash = {1}};
    return query;
  }

  static void ExpectReplayed(const absl::Status& status, const std::string& token) {
    const ErrorDetails details = ExpectRefusal(status, absl::StatusCode::kAlreadyExists, "REQUEST_REPLAYED");
    EXPECT_THAT(details.metadata, ElementsAre(Pair("token", token)));
  }
  static void ExpectReused(const absl::Status& status) {
    ExpectRefusal(status, absl::StatusCode::kInvalidArgument, "REQUEST_ID_REUSED");
  }
};

// Without the id this would be DISPLAY_NAME_TAKEN: the repetition of a call whose answer was lost must tell which token
// it made.
TEST_F(TokenReplayTest, ARepetitionIsToldTheTokenAndMakesNone) {
  const CreateTokenQuery query = WithId();
  const IssuedToken token = authority_.Issue(query);
  for (int i = 0; i < 3; ++i) ExpectReplayed(Create(query).status(), token.name);
  EXPECT_THAT(Listed(), ElementsAre(token.name));
}

TEST_F(TokenReplayTest, ARepetitionIsToldSoAfterItsExpireTimeHasPassed) {
  CreateTokenQuery query = WithId();
  query.expiration = At(Now() + absl::Minutes(1));
  const IssuedToken token = authority_.Issue(query);
  Advance(absl::Hours(1));
  ExpectReplayed(Create(query).status(), token.name);
}

TEST_F(TokenReplayTest, ARepetitionBeatsWhateverElseHasChanged) {
  const CreateTokenQuery query = WithId();
  const absl::StatusOr<TokenWithSecret> made = tokens().Create(AsPortal("ada"), query);
  ASSERT_TRUE(made.ok()) << made.status();
  const std::string name = NameOf(made->token);
  const auto again = [&] { return tokens().Create(AsPortal("ada"), query).status(); };
  authority_.ChangePolicy([](PolicyRecord& policy) { policy.maximum_live_tokens = 1; });
  authority_.ChangePolicy([](PolicyRecord& policy) { policy.maximum_lifespan = absl::Hours(1); });
  ExpectReplayed(again(), name);
  authority_.ChangeUser("ada", [](UserRecord& user) { user.type = UserType::kSaml; });
  ExpectReplayed(again(), name);
  ASSERT_TRUE(tokens().Revoke(AsPortal("ada"), {.name = name}).ok());
  ExpectReplayed(again(), name);
}

// Rights come first.
TEST_F(TokenReplayTest, ARepetitionByAnybodyElseIsRefusedAsEver) {
  const CreateTokenQuery query = WithId();
  authority_.Issue(query);
  ExpectRefusal(tokens().Create(AsUser("bob"), query).status(), absl::StatusCode::kPermissionDenied, "ROLE_REQUIRED");
}

// Deleting is for ever, and a later user of the name inherits nothing: neither the ids, nor the names of the tokens
// that were made with them.
TEST_F(TokenReplayTest, ALaterUserOfTheNameFindsNoRequestsOfTheFormerOne) {
  const CreateTokenQuery query = WithId();
  CreateTokenQuery other = query;
  other.request.body_hash = {2};
  for (const Principal& principal : {AsUser("ada"), AsPortal("ada")}) {
    ASSERT_TRUE(tokens().Create(authority_.Anew(principal), query).ok());
    authority_.DeleteUser("ada");
    ExpectRefusal(tokens().Create(authority_.Anew(AsPortal("ada")), query).status(), absl::StatusCode::kNotFound,
                  "USER_NOT_FOUND");
    authority_.AddUser("ada");
    const absl::StatusOr<TokenWithSecret> made = tokens().Create(authority_.Anew(principal), other);
    ASSERT_TRUE(made.ok()) << made.status();
    ExpectReplayed(tokens().Create(authority_.Anew(principal), other).status(), NameOf(made->token));
    authority_.DeleteUser("ada");
    authority_.AddUser("ada");
  }
}

TEST_F(TokenReplayTest, AnotherRequestUnderTheSameIdIsAMistake) {
  CreateTokenQuery query = WithId();
  authority_.Issue(query);
  query.display_name = "another name";
  query.request.body_hash = {2};
  ExpectReused(Create(query).status());
  // Also one that is wrong in itself: the id is looked at first.
  query.scopes.clear();
  ExpectReused(Create(query).status());
  EXPECT_THAT(Listed(), SizeIs(1));
}

TEST_F(TokenReplayTest, AnIdIsForgottenAfter24HoursToTheNanosecond) {
  const CreateTokenQuery query = WithId();
  const absl::Time done = Now();
  const IssuedToken token = authority_.Issue(query);
  authority_.Revoke(token);
  CreateTokenQuery other = query;
  other.request.body_hash = {2};
  AdvanceTo(done + kDay - kTick);
  ExpectReplayed(Create(query).status(), token.name);
  ExpectReused(Create(other).status());
  AdvanceTo(done + kDay);
  const IssuedToken second = authority_.Issue(query);
  EXPECT_NE(second.name, token.name);

  // And it is known again, with the second token, for as long.
  AdvanceTo(done + 2 * kDay - kTick);
  ExpectReplayed(Create(query).status(), second.name);
  ExpectReused(Create(other).status());
}

// A repetition does not keep the id known any longer.
TEST_F(TokenReplayTest, ARepetitionDoesNotProlongIt) {
  const CreateTokenQuery query = WithId();
  const absl::Time done = Now();
  authority_.Revoke(authority_.Issue(query));
  Advance(absl::Hours(23));
  EXPECT_FALSE(Create(query).ok());
  AdvanceTo(done + kDay);
  EXPECT_TRUE(Create(query).ok());
}

TEST_F(TokenReplayTest, AnIdIsOnesOwn) {
  authority_.Issue(WithId());
  CreateTokenQuery of_bob = authority_.GoodCreation("bob");
  of_bob.request = {.id = "id", .body_hash = {2}};
  EXPECT_TRUE(tokens().Create(AsUser("bob"), of_bob).ok());
  // The portal is another caller than the user for whom it acts.
  CreateTokenQuery by_portal = WithId();
  by_portal.request.body_hash = {3};
  EXPECT_TRUE(tokens().Create(AsPortal("ada"), by_portal).ok());
  EXPECT_TRUE(Create(WithId("ID")).ok());
}

TEST_F(TokenReplayTest, AnIdBelongsToAMethodAndAName) {
  const IssuedToken first = authority_.Issue(WithId());
  const IssuedToken second = Issue();
  for (const IssuedToken& token : {first, second}) {
    EXPECT_TRUE(Regenerate({.name = token.name, .request = {.id = "id", .body_hash = {2}}}).ok());
  }
}

// What was refused was not done.
TEST_F(TokenReplayTest, ARefusalDoesNotUseTheIdUp) {
  const IssuedToken token = Issue();
  CreateTokenQuery query = WithId();
  query.display_name = View(token).record.display_name;
  EXPECT_FALSE(Create(query).ok());
  query.scopes.clear();
  query.request.body_hash = {2};
  EXPECT_FALSE(Create(query).ok());
  query = WithId();
  query.request.body_hash = {3};
  authority_.store.FailCommitsWith(absl::UnavailableError("no disk"));
  EXPECT_FALSE(Create(query).ok());
  authority_.store.FailCommitsWith(absl::OkStatus());
  EXPECT_TRUE(Create(query).ok());
}

TEST_F(TokenReplayTest, OfManyAtTheSameTimeOneIsDone) {
  const CreateTokenQuery query = WithId();
  std::atomic<int> made = 0;
  std::atomic<int> replayed = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      const absl::Status status = Create(query).status();
      if (status.ok()) {
        ++made;
      } else if (DetailsOf(status).value_or(ErrorDetails()).reason == "REQUEST_REPLAYED") {
        ++replayed;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(made, 1);
  EXPECT_EQ(replayed, 7);
  EXPECT_THAT(Listed(), SizeIs(1));
}

// ---- Regenerating. A repetition that was done again would kill the secret that the caller may have by now.

class RegenerationReplayTest : public TokenReplayTest {
 protected:
  RegenerateTokenQuery Query() { return {.name = token_.name, .request = {.id = "id", .body_hash = {1}}}; }

  const IssuedToken token_ = Issue();
};

TEST_F(RegenerationReplayTest, ARepetitionLeavesTheNewSecretAlone) {
  const absl::StatusOr<TokenWithSecret> made = Regenerate(Query());
  ASSERT_TRUE(made.ok()) << made.status();
  ExpectReplayed(Regenerate(Query()).status(), token_.name);
  EXPECT_TRUE(Found(DigestOf(*made)).has_value());

  RegenerateTokenQuery other = Query();
  other.expiration = For(kDay);
  other.request.body_hash = {2};
  ExpectReused(Regenerate(other).status());
  EXPECT_TRUE(Found(DigestOf(*made)).has_value());
}

TEST_F(RegenerationReplayTest, ARepetitionBeatsTheEtagTheEndOfTheTokenAndAnExpireTimeThatHasPassed) {
  RegenerateTokenQuery query = Query();
  query.etag = EtagOf(token_);
  query.expiration = At(Now() + absl::Minutes(1));
  ASSERT_TRUE(Regenerate(query).ok());
  ExpectReplayed(Regenerate(query).status(), token_.name);
  Advance(absl::Hours(1));
  ExpectReplayed(Regenerate(query).status(), token_.name);
  authority_.Revoke(token_);
  ExpectReplayed(Regenerate(query).status(), token_.name);
}

TEST_F(RegenerationReplayTest, AnIdIsForgottenAfter24HoursToTheNanosecond) {
  const absl::Time done = Now();
  ASSERT_TRUE(Regenerate(Query()).ok());
  AdvanceTo(done + kDay - kTick);
  ExpectReplayed(Regenerate(Query()).status(), token_.name);
  AdvanceTo(done + kDay);
  EXPECT_TRUE(Regenerate(Query()).ok());
}

TEST_F(RegenerationReplayTest, ADryRunDoesNotUseTheIdUp) {
  RegenerateTokenQuery query = Query();
  query.validate_only = true;
  ASSERT_TRUE(Regenerate(query).ok());
  query.validate_only = false;
  query.request.body_hash = {2};
  EXPECT_TRUE(Regenerate(query).ok());
}

}  // namespace
}  // namespace pat

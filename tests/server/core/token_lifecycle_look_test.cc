// Looking at tokens, one or many, and renaming them.
#include <optional>
#include <string>
#include <utility>
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
using ::testing::ElementsAreArray;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;

// ---- One token

using TokenLookTest = TokenLifecycleTest;

TEST_F(TokenLookTest, TheOwnerThePortalAndAdministratorsSeeIt) {
  const IssuedToken token = Issue();
  for (const Principal& principal : {AsUser("ada"), AsPortal("ada"), AsAdministrator("root")}) {
    const absl::StatusOr<TokenView> view = tokens().Get(principal, token.name);
    ASSERT_TRUE(view.ok()) << view.status();
    EXPECT_EQ(view->record.uid, token.uid);
    EXPECT_EQ(view->state, TokenState::kActive);
  }
}

// Nobody can find out by asking which tokens there are.
TEST_F(TokenLookTest, SomebodyElsesTokenAndAnAbsentOneAreTheSameByteForByte) {
  const IssuedToken token = Issue();
  const absl::Status others = tokens().Get(AsUser("bob"), token.name).status();
  ExpectRefusal(others, absl::StatusCode::kNotFound, "TOKEN_NOT_FOUND");
  for (const std::string& absent :
       {absl::StrCat("users/ada/tokens/", kAbsentUid), absl::StrCat("users/bob/tokens/", kAbsentUid),
        absl::StrCat("users/nobody/tokens/", kAbsentUid), std::string("users/ada/tokens/no-uid"),
        std::string("users/bob/tokens/no-uid"),
        // The uid alone leads nowhere.
        TokenName("bob", token.uid)}) {
    EXPECT_EQ(tokens().Get(AsUser("bob"), absent).status(), others) << absent;
    EXPECT_EQ(tokens().Revoke(AsUser("bob"), {.name = absent}).status(), others) << absent;
    EXPECT_EQ(tokens().Regenerate(AsUser("bob"), {.name = absent}).status(), others) << absent;
    EXPECT_EQ(tokens().Update(AsUser("bob"), {.name = absent, .update_mask = {"description"}}).status(), others)
        << absent;
  }
  EXPECT_EQ(tokens().Revoke(AsUser("bob"), {.name = token.name}).status(), others);
  EXPECT_EQ(tokens().Regenerate(AsUser("bob"), {.name = token.name}).status(), others);
  EXPECT_EQ(tokens().Update(AsUser("bob"), {.name = token.name, .update_mask = {"description"}}).status(), others);
  EXPECT_EQ(View(token).state, TokenState::kActive);
}

// Whatever else is wrong with a request about somebody else's token.
TEST_F(TokenLookTest, TheFormOfARequestTellsNothingAboutSomebodyElsesToken) {
  const IssuedToken token = Issue();
  const absl::Status others = tokens().Get(AsUser("bob"), token.name).status();
  for (const std::string& name : {token.name, absl::StrCat("users/ada/tokens/", kAbsentUid)}) {
    EXPECT_EQ(tokens().Update(AsUser("bob"), {.name = name, .update_mask = {"scopes"}}).status(), others);
    EXPECT_EQ(
        tokens().Regenerate(AsUser("bob"), {.name = name, .expiration = For(-kDay), .request = {.id = "\n"}}).status(),
        others);
  }
}

TEST_F(TokenLookTest, WhatIsNoNameIsAMistakeOfForm) {
  for (const std::string& name : {std::string(), std::string("users/ada"), std::string("users/-/tokens/x")}) {
    EXPECT_THAT(ExpectInvalid(tokens().Get(AsUser("ada"), name).status()), ElementsAre("name"));
    EXPECT_THAT(ExpectInvalid(Revoke({.name = name}).status()), ElementsAre("name"));
    EXPECT_THAT(ExpectInvalid(Regenerate({.name = name}).status()), ElementsAre("name"));
  }
}

TEST_F(TokenLookTest, ATokenIsExpiredFromTheInstantOfItsExpiryOn) {
  const IssuedToken token = Issue();
  AdvanceTo(View(token).expire_time - kTick);
  EXPECT_EQ(View(token).state, TokenState::kActive);
  Advance(kTick);
  EXPECT_EQ(View(token).state, TokenState::kExpired);
}

TEST_F(TokenLookTest, RevokedBeatsExpired) {
  const IssuedToken token = Issue();
  authority_.Revoke(token);
  AdvanceTo(View(token).expire_time);
  EXPECT_EQ(View(token).state, TokenState::kRevoked);
}

// The maximum lifespan counts from the last of creation and regeneration, and is seen wherever the token is.
TEST_F(TokenLookTest, TheExpiryThatIsShownIsThePolicysToo) {
  const absl::Time made = Now();
  const IssuedToken token = Issue();
  ASSERT_EQ(View(token).expire_time, made + 30 * kDay);
  authority_.ChangePolicy([](PolicyRecord& policy) { policy.maximum_lifespan = 7 * kDay; });
  EXPECT_EQ(View(token).expire_time, made + 7 * kDay);
  Advance(3 * kDay);
  const absl::StatusOr<TokenWithSecret> again = Regenerate({.name = token.name});
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->token.expire_time, made + 10 * kDay);
  EXPECT_EQ(View(token).expire_time, made + 10 * kDay);
  EXPECT_EQ(tokens().List(AsUser("ada"), {.parent = "users/ada"})->tokens.at(0).expire_time, made + 10 * kDay);

  AdvanceTo(made + 10 * kDay - kTick);
  EXPECT_EQ(View(token).state, TokenState::kActive);
  Advance(kTick);
  EXPECT_EQ(View(token).state, TokenState::kExpired);

  // A longer life than the token was given is in no policy.
  authority_.ChangePolicy([](PolicyRecord& policy) { policy.maximum_lifespan = 365 * kDay; });
  EXPECT_EQ(View(token).expire_time, made + 30 * kDay);
}

TEST_F(TokenLookTest, AnErrorOfTheStoreIsPassedOn) {
  const IssuedToken token = Issue();
  authority_.store.FailReadsWith(absl::UnavailableError("no disk"));
  EXPECT_EQ(tokens().Get(AsUser("ada"), token.name).status(), absl::UnavailableError("no disk"));
  EXPECT_EQ(tokens().List(AsUser("ada"), {.parent = "users/ada"}).status(), absl::UnavailableError("no disk"));
}

// ---- Lists

class TokenListTest : public TokenLifecycleTest {
 protected:
  // Names of all pages, page by page; a refusal fails the test.
  std::vector<std::vector<std::string>> Pages(const Principal& principal, ListTokensQuery query) {
    std::vector<std::vector<std::string>> pages;
    do {
      const absl::StatusOr<TokenViewPage> page = tokens().List(principal, query);
      if (!page.ok()) {
        ADD_FAILURE() << page.status();
        return pages;
      }
      pages.emplace_back();
      for (const TokenView& token : page->tokens) pages.back().push_back(NameOf(token));
      query.page_token = page->next_page_token;
    } while (!query.page_token.empty() && pages.size() < 100);
    return pages;
  }

  std::vector<std::string> IssueMany(int count, absl::string_view user_id = "ada") {
    std::vector<std::string> names;
    for (int i = 0; i < count; ++i) names.push_back(authority_.Issue(user_id).name);
    return names;
  }
};

TEST_F(TokenListTest, TheOldestComesFirstInPagesThatFollowOnEachOther) {
  const std::vector<std::string> names = IssueMany(5);
  EXPECT_THAT(Listed(), ElementsAreArray(names));
  EXPECT_THAT(Pages(AsUser("ada"), {.parent = "users/ada", .page_size = 2}),
              ElementsAre(ElementsAre(names[0], names[1]), ElementsAre(names[2], names[3]), ElementsAre(names[4])));
  // A page that ends with the list is the last one.
  EXPECT_THAT(Pages(AsUser("ada"), {.parent = "users/ada", .page_size = 5}), SizeIs(1));
}

TEST_F(TokenListTest, ChangesDoNotMoveATokenInTheList) {
  const std::vector<std::string> names = IssueMany(3);
  Advance(kDay);
  ASSERT_TRUE(Regenerate({.name = names[0]}).ok());
  ASSERT_TRUE(Update({.name = names[1], .description = "changed", .update_mask = {"description"}}).ok());
  EXPECT_THAT(Listed(), ElementsAreArray(names));
}

TEST_F(TokenListTest, WhatIsMadeOrRevokedMeanwhileDisturbsNoPage) {
  std::vector<std::string> names = IssueMany(4);
  ListTokensQuery query = {.parent = "users/ada", .page_size = 2};
  const absl::StatusOr<TokenViewPage> first = tokens().List(AsUser("ada"), query);
  ASSERT_TRUE(first.ok()) << first.status();
  ASSERT_TRUE(Revoke({.name = names[0]}).ok());
  ASSERT_TRUE(Revoke({.name = names[1]}).ok());
  names.push_back(Issue().name);
  query.page_token = first->next_page_token;
  EXPECT_THAT(Pages(AsUser("ada"), query), ElementsAre(ElementsAre(names[2], names[3]), ElementsAre(names[4])));
}

TEST_F(TokenListTest, APageOfEverybodysMayBeEmptyAndNotTheLastOne) {
  authority_.ChangePolicy([](PolicyRecord& policy) { policy.maximum_live_tokens = 10'000; });
  IssueMany(static_cast<int>(kMostPassedOver) + 1, "bob");
  authority_.DeleteUser("bob");
  const std::string name = Issue().name;
  EXPECT_THAT(Pages(AsAdministrator("root"), {.parent = "users/-"}), ElementsAre(IsEmpty(), ElementsAre(name)));
  EXPECT_THAT(Pages(AsAdministrator("root"), {.parent = "users/-", .page_size = 200, .show_revoked = true}), SizeIs(6));
}

TEST_F(TokenListTest, RevokedOnesAreHiddenUnlessAskedFor) {
  const std::vector<std::string> names = IssueMany(3);
  ASSERT_TRUE(Revoke({.name = names[1]}).ok());
  EXPECT_THAT(Listed(), ElementsAre(names[0], names[2]));
  EXPECT_THAT(Listed(/*show_revoked=*/true), ElementsAreArray(names));
}

TEST_F(TokenListTest, ExpiredOnesAreShownAsSuch) {
  const IssuedToken token = Issue();
  AdvanceTo(View(token).expire_time);
  const absl::StatusOr<TokenViewPage> page = tokens().List(AsUser("ada"), {.parent = "users/ada"});
  ASSERT_TRUE(page.ok()) << page.status();
  ASSERT_THAT(page->tokens, SizeIs(1));
  EXPECT_EQ(page->tokens[0].state, TokenState::kExpired);
}

TEST_F(TokenListTest, OnlyAdministratorsListTheTokensOfOthers) {
  const std::vector<std::string> of_ada = IssueMany(2);
  const std::vector<std::string> of_bob = IssueMany(1, "bob");
  EXPECT_THAT(Pages(AsAdministrator("root"), {.parent = "users/ada"}), ElementsAre(ElementsAreArray(of_ada)));
  EXPECT_THAT(Pages(AsAdministrator("root"), {.parent = "users/-"}),
              ElementsAre(ElementsAre(of_ada[0], of_ada[1], of_bob[0])));
  ExpectRefusal(tokens().List(AsAdministrator("root"), {.parent = "users/nobody"}).status(),
                absl::StatusCode::kNotFound, "USER_NOT_FOUND");

  const absl::Status refused = tokens().List(AsUser("bob"), {.parent = "users/ada"}).status();
  ExpectRefusal(refused, absl::StatusCode::kPermissionDenied, "ROLE_REQUIRED");
  EXPECT_EQ(DetailsOf(refused)->metadata.front(), std::pair(std::string("role"), std::string("administrator")));
  for (const Principal& principal : {AsUser("bob"), AsPortal("bob")}) {
    for (const absl::string_view parent : {"users/ada", "users/nobody", "users/-"}) {
      EXPECT_EQ(tokens().List(principal, {.parent = std::string(parent)}).status(), refused) << parent;
      // Before the form is judged.
      EXPECT_EQ(tokens().List(principal, {.parent = std::string(parent), .page_size = -1}).status(), refused);
    }
  }
}

TEST_F(TokenListTest, EverythingThatIsWrongIsSaidAtOnce) {
  const ListTokensQuery query = {.parent = "ada", .page_size = -1, .page_token = "made up"};
  EXPECT_THAT(ExpectInvalid(tokens().List(AsUser("ada"), query).status()),
              ElementsAre("parent", "page_size", "page_token"));
}

TEST_F(TokenListTest, APageHas50TokensOrAsManyAsAskedForUpTo200) {
  authority_.ChangePolicy([](PolicyRecord& policy) { policy.maximum_live_tokens = 1000; });
  IssueMany(201);
  const auto size_of_first = [this](int64_t page_size) {
    return tokens().List(AsUser("ada"), {.parent = "users/ada", .page_size = page_size})->tokens.size();
  };
  EXPECT_EQ(size_of_first(0), 50);
  EXPECT_EQ(size_of_first(1), 1);
  EXPECT_EQ(size_of_first(200), 200);
  EXPECT_EQ(size_of_first(201), 200);
  EXPECT_THAT(Pages(AsUser("ada"), {.parent = "users/ada", .page_size = 1000}), ElementsAre(SizeIs(200), SizeIs(1)));
}

TEST_F(TokenListTest, APageTokenIsForItsCallerItsParentAndItsFilter) {
  IssueMany(3);
  IssueMany(3, "bob");
  const Principal root = AsAdministrator("root");
  const ListTokensQuery query = {.parent = "users/ada", .page_size = 1};
  ListTokensQuery next = query;
  next.page_token = tokens().List(root, query)->next_page_token;
  ASSERT_TRUE(tokens().List(root, next).ok());

  const auto expect_refused = [&](const Principal& principal, const ListTokensQuery& other) {
    EXPECT_THAT(ExpectInvalid(tokens().List(principal, other).status()), ElementsAre("page_token"));
  };
  expect_refused(AsUser("ada"), next);
  expect_refused(AsAdministrator("admin"), next);
  for (const absl::string_view parent : {"users/bob", "users/-"}) {
    ListTokensQuery other = next;
    other.parent = std::string(parent);
    expect_refused(root, other);
  }
  ListTokensQuery with_revoked = next;
  with_revoked.show_revoked = true;
  expect_refused(root, with_revoked);

  // The size of the pages is not part of what the list is.
  next.page_size = 2;
  EXPECT_THAT(tokens().List(root, next)->tokens, SizeIs(2));

  ListTokensQuery of_user = query;
  of_user.page_token = tokens().List(AsUser("ada"), query)->next_page_token;
  expect_refused(AsPortal("ada"), of_user);
}

// ---- Name and description

class TokenUpdateTest : public TokenLifecycleTest {
 protected:
  UpdateTokenQuery Rename(const std::string& display_name) {
    return {.name = token_.name, .display_name = display_name, .update_mask = {"display_name"}};
  }

  const IssuedToken token_ = Issue();
};

TEST_F(TokenUpdateTest, OnlyWhatTheMaskNamesIsChanged) {
  const TokenRecord before = View(token_).record;
  Advance(absl::Hours(1));
  UpdateTokenQuery query = Rename("new name");
  query.description = "not in the mask";
  const absl::StatusOr<TokenView> renamed = Update(query);
  ASSERT_TRUE(renamed.ok()) << renamed.status();
  TokenRecord expected = before;
  expected.display_name = "new name";
  expected.change_sequence = renamed->record.change_sequence;
  EXPECT_EQ(renamed->record, expected);
  EXPECT_EQ(View(token_).record, expected);

  query = {.name = token_.name, .description = "both", .update_mask = {"description", "display_name"}};
  query.display_name = "newer name";
  ASSERT_TRUE(Update(query).ok());
  EXPECT_EQ(View(token_).record.display_name, "newer name");
  EXPECT_EQ(View(token_).record.description, "both");
}

TEST_F(TokenUpdateTest, TheSecretStaysTheSame) {
  ASSERT_TRUE(Update(Rename("new name")).ok());
  EXPECT_TRUE(Found(token_.digest).has_value());
}

TEST_F(TokenUpdateTest, ScopesAndEverythingElseCannotBeChanged) {
  const TokenRecord before = View(token_).record;
  for (const absl::string_view path : {"scopes", "audiences", "expire_time", "name", "*", ""}) {
    UpdateTokenQuery query = Rename("new name");
    query.update_mask.emplace_back(path);
    EXPECT_THAT(ExpectInvalid(Update(query).status()), ElementsAre("update_mask")) << path;
  }
  EXPECT_EQ(View(token_).record, before);
}

TEST_F(TokenUpdateTest, EverythingThatIsWrongIsSaidAtOnce) {
  EXPECT_THAT(ExpectInvalid(Update({.name = token_.name}).status()), ElementsAre("update_mask"));
  UpdateTokenQuery query = Rename("");
  query.name = "tokens/x";
  query.description = "\x1b";
  query.update_mask = {"display_name", "description", "scopes"};
  EXPECT_THAT(ExpectInvalid(Update(query).status()),
              ElementsAre("token.name", "update_mask", "token.display_name", "token.description"));
}

// Validate, then look up: for each name that no token has.
TEST_F(TokenUpdateTest, TheFormIsJudgedBeforeTheTokenIsLookedFor) {
  for (const std::string& absent :
       {absl::StrCat("users/ada/tokens/", kAbsentUid), std::string("users/ada/tokens/no-uid")}) {
    UpdateTokenQuery query = Rename("");
    query.name = absent;
    EXPECT_THAT(ExpectInvalid(Update(query).status()), ElementsAre("token.display_name")) << absent;
    query.display_name = "good";
    ExpectRefusal(Update(query).status(), absl::StatusCode::kNotFound, "TOKEN_NOT_FOUND");
  }
}

TEST_F(TokenUpdateTest, ANameOfAnotherLiveTokenIsTaken) {
  const IssuedToken other = Issue();
  const std::string name = View(other).record.display_name;
  const ErrorDetails details =
      ExpectRefusal(Update(Rename(name)).status(), absl::StatusCode::kAlreadyExists, "DISPLAY_NAME_TAKEN");
  EXPECT_THAT(details.metadata, ElementsAre(Pair("token", other.name)));
  authority_.Revoke(other);
  EXPECT_TRUE(Update(Rename(name)).ok());
  EXPECT_TRUE(Update(Rename(name)).ok());  // Its own is not taken.
}

TEST_F(TokenUpdateTest, TheOldNameIsFreeAtOnce) {
  CreateTokenQuery query = GoodCreation();
  query.display_name = View(token_).record.display_name;
  ASSERT_FALSE(Create(query).ok());
  ASSERT_TRUE(Update(Rename("new name")).ok());
  EXPECT_TRUE(Create(query).ok());
}

TEST_F(TokenUpdateTest, AnEndedTokenIsNotChanged) {
  authority_.ChangePolicy([](PolicyRecord& policy) { policy.maximum_lifespan = 7 * kDay; });
  AdvanceTo(View(token_).expire_time - kTick);
  EXPECT_TRUE(Update(Rename("alive")).ok());
  Advance(kTick);
  ExpectRefusal(Update(Rename("expired")).status(), absl::StatusCode::kFailedPrecondition, "TOKEN_EXPIRED");
  authority_.Revoke(token_);
  ExpectRefusal(Update(Rename("revoked")).status(), absl::StatusCode::kFailedPrecondition, "TOKEN_REVOKED");
  EXPECT_EQ(View(token_).record.display_name, "alive");
}

TEST_F(TokenUpdateTest, AnEtagIsGoodForOneChange) {
  UpdateTokenQuery query = Rename("first");
  query.etag = EtagOf(token_);
  ASSERT_TRUE(Update(query).ok());
  query.display_name = "second";
  ExpectRefusal(Update(query).status(), absl::StatusCode::kAborted, "ETAG_MISMATCH");
  EXPECT_EQ(View(token_).record.display_name, "first");
  query.etag = EtagOf(token_);
  EXPECT_TRUE(Update(query).ok());
}

TEST_F(TokenUpdateTest, AnAdministratorChangesNothingOfOthers) {
  for (const std::string& name : {token_.name, absl::StrCat("users/ada/tokens/", kAbsentUid)}) {
    UpdateTokenQuery query = Rename("new name");
    query.name = name;
    ExpectRefusal(tokens().Update(AsAdministrator("root"), query).status(), absl::StatusCode::kPermissionDenied,
                  "ROLE_REQUIRED");
  }
}

}  // namespace
}  // namespace pat

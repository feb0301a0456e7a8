#include "client/patctl/token_lookup.h"

#include <string>

#include "client/patctl/scope_picker.h"
#include "tests/client/patctl/patctl_fixture.h"

namespace pat::patctl {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

TEST(ResourceNameTest, IsANameOrMadeOfAUid) {
  const std::string name = std::string("users/ada/tokens/") + kCi;
  EXPECT_EQ(ResourceName(name, "users/bob"), name);
  EXPECT_EQ(ResourceName("users/ada/tokens/x", "users/bob"), "users/ada/tokens/x");
  EXPECT_EQ(ResourceName(kCi, "users/ada"), name);
  EXPECT_EQ(ResourceName("0B6E2D43-7A1F-4C58-9D0E-5F2A8C417BE3", "users/ada"), name);
}

TEST(ResourceNameTest, IsNothingElse) {
  for (const char* text : {"", "ci", "users/ada", "users/ada/tokens", "users/ada/tokens/", "users//tokens/x",
                           "people/ada/tokens/x", "users/ada/tokens/x/y", "0b6e2d43-7a1f-4c58-9d0e-5f2a8c417be",
                           "0b6e2d43x7a1f-4c58-9d0e-5f2a8c417be3", "gb6e2d43-7a1f-4c58-9d0e-5f2a8c417be3"}) {
    EXPECT_EQ(ResourceName(text, "users/ada"), std::nullopt) << text;
  }
}

TEST(ParseSelectionTest, TakesNumbersAndRanges) {
  EXPECT_THAT(*ParseSelection("1 3-5,7", 7), ElementsAre(0u, 2u, 3u, 4u, 6u));
  EXPECT_THAT(*ParseSelection(" 2 ,, 1 ", 2), ElementsAre(1u, 0u));
  EXPECT_THAT(*ParseSelection("", 2), IsEmpty());
}

TEST(ParseSelectionTest, TakesNothingElse) {
  for (const char* text : {"0", "3", "1-3", "2-1", "-1", "1-", "-", "x", "1.5", "1-2-3", "99999999999999999999"}) {
    EXPECT_FALSE(ParseSelection(text, 2).ok()) << text;
  }
}

// By way of "token show", which is nothing but a lookup.
using TokenLookupTest = PatctlTest;

TEST_F(TokenLookupTest, ByFullName) {
  server_.tokens = {MakeToken(kCi, "ci")};
  EXPECT_EQ(RunAsAda({"token", "show", std::string("users/ada/tokens/") + kCi}), 0);
  EXPECT_THAT(server_.calls, ElementsAre("GetToken"));
}

TEST_F(TokenLookupTest, ByUid) {
  server_.tokens = {MakeToken(kCi, "ci")};
  EXPECT_EQ(RunAsAda({"token", "show", kCi}), 0);
  EXPECT_THAT(server_.calls, ElementsAre("GetToken"));
  EXPECT_EQ(server_.get_request.name(), std::string("users/ada/tokens/") + kCi);
}

TEST_F(TokenLookupTest, ByUidOfAnotherOwner) {
  EXPECT_EQ(RunAsAda({"token", "show", kCi, "--owner", "bob"}), 1);
  EXPECT_EQ(server_.get_request.name(), std::string("users/bob/tokens/") + kCi);
  EXPECT_THAT(said(), HasSubstr("NOT_FOUND: no such token\n  reason: TOKEN_NOT_FOUND"));
}

TEST_F(TokenLookupTest, ByDisplayNameOnWhateverPageItIs) {
  server_.tokens = {MakeToken("a", "one"), MakeToken("b", "two"), MakeToken(kCi, "ci"), MakeToken("d", "four")};
  EXPECT_EQ(RunAsAda({"token", "show", "ci"}), 0);
  EXPECT_THAT(written(), HasSubstr(kCi));
  EXPECT_THAT(server_.calls, ElementsAre("ListTokens", "ListTokens"));
  EXPECT_EQ(server_.list_request.parent(), "users/ada");
  EXPECT_FALSE(server_.list_request.show_revoked());
}

TEST_F(TokenLookupTest, ADisplayNameMustBeThere) {
  server_.tokens = {MakeToken(kCi, "ci")};
  EXPECT_EQ(RunAsAda({"token", "show", "CI"}), 1);
  EXPECT_THAT(said(), HasSubstr("users/ada has no token named \"CI\"; see patctl token list"));
}

TEST_F(TokenLookupTest, ADisplayNameMustBeClear) {
  v1::Token expired = MakeToken(kBackup, "ci");
  expired.set_state(v1::Token::STATE_EXPIRED);
  server_.tokens = {expired, MakeToken(kCi, "ci")};
  EXPECT_EQ(RunAsAda({"token", "revoke", "ci", "--yes"}), 1);
  EXPECT_THAT(said(), HasSubstr("has 2 tokens named \"ci\"; give the ID of one:\n"
                                "  11111111-2222-3333-4444-555555555555  EXPIRED\n"
                                "  0b6e2d43-7a1f-4c58-9d0e-5f2a8c417be3  ACTIVE\n"));
  EXPECT_THAT(server_.calls, ElementsAre("ListTokens"));
}

TEST_F(TokenLookupTest, OfTwoOwnersOnlyOneCanBeMeant) {
  const std::string name = std::string("users/ada/tokens/") + kCi;
  server_.tokens = {MakeToken(kCi, "ci")};
  for (const char* command : {"show", "revoke", "regenerate"}) {
    EXPECT_EQ(RunAsAda({"token", command, name, "--owner", "bob", "--yes"}), 2);
    EXPECT_THAT(said(),
                HasSubstr("whose token? users/ada/tokens/0b6e2d43-7a1f-4c58-9d0e-5f2a8c417be3 is not one of bob"));
  }
  EXPECT_EQ(RunAsAda({"token", "update", name, "--owner", "bob", "--name", "x"}), 2);
  EXPECT_EQ(RunAsAdmin({"audit", "list", "--about", "bob", "--token", name}), 2);
  EXPECT_THAT(server_.calls, IsEmpty());
  EXPECT_EQ(RunAsAda({"token", "show", name, "--owner", "users/ada"}), 0);
}

TEST_F(TokenLookupTest, ASecretIsNoReference) {
  for (const std::vector<std::string>& command : {std::vector<std::string>{"token", "show", client::kFakeSecret},
                                                  {"token", "update", client::kFakeSecret, "--name", "x"},
                                                  {"token", "revoke", client::kFakeSecret, "--yes"},
                                                  {"token", "regenerate", client::kFakeSecret, "--yes"}}) {
    EXPECT_EQ(RunAsAda(command), 2);
    EXPECT_THAT(said(), HasSubstr("that is a token's secret, not its name"));
    EXPECT_THAT(said(), Not(HasSubstr(client::kFakeSecret)));
  }
  EXPECT_THAT(server_.calls, IsEmpty());
}

}  // namespace
}  // namespace pat::patctl

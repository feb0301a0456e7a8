// Which names there are, and that every other spelling is none: one thing has one name.
#include "server/core/resource_name.h"

#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gtest/gtest.h"

namespace pat {
namespace {

constexpr absl::string_view kUid = "0b6e2d43-7a1f-4c58-9d0e-5f2a8c417be3";

TEST(ResourceNameTest, AUserIdIsShortLowerCaseAndBeginsWithALetterOrDigit) {
  for (const std::string& good : {std::string("a"), std::string("7"), std::string("ada"), std::string("a.b_c-9"),
                                  std::string("a-"), std::string(63, 'z')}) {
    EXPECT_TRUE(IsUserId(good)) << good;
  }
  for (const std::string& bad :
       {std::string(), std::string("-"), std::string("-a"), std::string(".a"), std::string("_a"), std::string("Ada"),
        std::string("a b"), std::string("a/b"), std::string("a@b"), std::string("a\n"), std::string("a\0", 2),
        std::string("\xc3\xa4"), std::string(64, 'z')}) {
    EXPECT_FALSE(IsUserId(bad)) << bad;
  }
}

TEST(ResourceNameTest, TheNameOfAUserIsReadBack) {
  EXPECT_EQ(UserName("ada"), "users/ada");
  EXPECT_EQ(ParseUserName("users/ada"), "ada");
  EXPECT_EQ(ParseUserName("users/-"), kEverybody);
}

TEST(ResourceNameTest, WhatIsNotTheNameOfAUser) {
  for (const absl::string_view bad : {"", "ada", "users", "users/", "users//", "/users/ada", "users/ada/", "Users/ada",
                                      "users/Ada", "users/ ada", "users/--", "users/*", "user/ada", "users/ada\n"}) {
    EXPECT_EQ(ParseUserName(bad), std::nullopt) << bad;
  }
  EXPECT_EQ(ParseUserName(absl::StrCat("users/ada/tokens/", kUid)), std::nullopt);
}

TEST(ResourceNameTest, TheNameOfATokenIsReadBack) {
  const TokenUid uid = *TokenUid::Parse(kUid);
  const std::string name = TokenName("ada", uid);
  EXPECT_EQ(name, absl::StrCat("users/ada/tokens/", kUid));
  const std::optional<TokenNameParts> parts = ParseTokenName(name);
  ASSERT_TRUE(parts.has_value());
  EXPECT_EQ(parts->user_id, "ada");
  EXPECT_EQ(parts->uid, uid);
}

// A name in the right form that no token can have is a name of nothing, not a mistake of form: NOT_FOUND, as for a
// token that is gone.
TEST(ResourceNameTest, AWellFormedIdThatIsNoUidNamesNoToken) {
  for (const std::string& id : {std::string("x"), std::string("my-token_1"), std::string(63, 'A'),
                                // In capitals it would be a second name of one token.
                                std::string("0B6E2D43-7A1F-4C58-9D0E-5F2A8C417BE3")}) {
    const std::optional<TokenNameParts> parts = ParseTokenName(absl::StrCat("users/ada/tokens/", id));
    ASSERT_TRUE(parts.has_value()) << id;
    EXPECT_EQ(parts->user_id, "ada") << id;
    EXPECT_EQ(parts->uid, std::nullopt) << id;
  }
}

TEST(ResourceNameTest, WhatIsNotTheNameOfAToken) {
  for (const std::string& bad :
       {std::string(), std::string("users/ada"), std::string("users/ada/tokens"), std::string("users/ada/tokens/"),
        std::string("users//tokens/x"), std::string("users/-/tokens/x"), std::string("users/Ada/tokens/x"),
        std::string("users/ada/token/x"), std::string("tokens/x"), std::string("users/ada/tokens/x/"),
        std::string("users/ada/tokens/x/tokens/y"), std::string("users/ada/tokens/x y"),
        std::string("users/ada/tokens/x."), std::string("users/ada/tokens/x\0", 19),
        absl::StrCat("users/ada/tokens/", kUid, "\n"), absl::StrCat(" users/ada/tokens/", kUid),
        absl::StrCat("users/ada/tokens/", std::string(64, 'x'))}) {
    EXPECT_FALSE(ParseTokenName(bad).has_value()) << bad;
  }
}

}  // namespace
}  // namespace pat

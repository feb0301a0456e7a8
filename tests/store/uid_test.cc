#include "store/uid.h"

#include <gtest/gtest.h>

#include <set>
#include <type_traits>

#include "absl/strings/ascii.h"
#include "store/incarnation.h"
#include "store/record_rules.h"
#include "tests/store/records_for_tests.h"

namespace pat {
namespace {

constexpr char kText[] = "0b6e2d43-7a1f-4c58-9d0e-5f2a8c417be3";

TEST(UidTest, TextComesBack) {
  const auto uid = TokenUid::Parse(kText);
  ASSERT_TRUE(uid.has_value());
  EXPECT_EQ(uid->ToString(), kText);
  EXPECT_EQ(uid->bytes[0], 0x0b);
  EXPECT_EQ(uid->bytes[15], 0xe3);
}

TEST(UidTest, OneTokenHasOneName) {
  const std::string text = kText;
  EXPECT_FALSE(TokenUid::Parse(absl::AsciiStrToUpper(text)).has_value());
  EXPECT_FALSE(TokenUid::Parse("").has_value());
  EXPECT_FALSE(TokenUid::Parse(text.substr(1)).has_value());
  EXPECT_FALSE(TokenUid::Parse(text + "0").has_value());
  EXPECT_FALSE(TokenUid::Parse("{" + text.substr(2) + "}").has_value());
  // Every position: neither a dash out of place nor a character that is no digit.
  for (size_t i = 0; i < text.size(); ++i) {
    for (const char wrong : {'-', 'g', ' ', '\0'}) {
      std::string changed = text;
      if (changed[i] == wrong) continue;
      changed[i] = wrong;
      EXPECT_FALSE(TokenUid::Parse(changed).has_value()) << i << " " << wrong;
    }
  }
}

TEST(UidTest, KindsAreDifferentTypes) {
  static_assert(!std::is_convertible_v<TokenUid, UserUid>);
  static_assert(!std::is_convertible_v<UserUid, TokenUid>);
}

TEST(IncarnationTest, IsHexadecimalAndNew) {
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    const std::string incarnation = NewIncarnation();
    EXPECT_EQ(incarnation.size(), 32u);
    EXPECT_EQ(incarnation.find_first_not_of("0123456789abcdef"), std::string::npos);
    EXPECT_TRUE(seen.insert(incarnation).second);
  }
}

TEST(RecordRulesTest, EndIsTheEarlier) {
  TokenRecord token = TokenNumber(1, UserNumber(1));
  token.expire_time = At(10);
  EXPECT_EQ(EndOf(token), At(10));
  token.revoke_time = At(9);
  EXPECT_EQ(EndOf(token), At(9));
  token.revoke_time = At(11);
  EXPECT_EQ(EndOf(token), At(10));
}

}  // namespace
}  // namespace pat

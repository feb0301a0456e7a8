#include "client/secret_text.h"

#include <gtest/gtest.h>

#include <type_traits>
#include <utility>

namespace pat::client {
namespace {

static_assert(!std::is_copy_constructible_v<SecretText>);
static_assert(!std::is_copy_assignable_v<SecretText>);

TEST(SecretTextTest, TakesTheTextAndWipesWhereItCameFrom) {
  std::string source = "long enough not to be stored inside the string object itself";
  const char* const bytes = source.data();
  const size_t size = source.size();
  SecretText secret(std::move(source));
  EXPECT_EQ(secret.Reveal(), "long enough not to be stored inside the string object itself");
  EXPECT_TRUE(source.empty());  // NOLINT(bugprone-use-after-move): that it was wiped is what is tested.
  EXPECT_EQ(std::string(bytes, size), std::string(size, '\0'));
}

TEST(SecretTextTest, MovingLeavesNothingBehind) {
  SecretText first(std::string("secret"));
  SecretText second(std::move(first));
  EXPECT_TRUE(first.empty());  // NOLINT(bugprone-use-after-move)
  EXPECT_EQ(second.Reveal(), "secret");

  SecretText third(std::string("other"));
  third = std::move(second);
  EXPECT_TRUE(second.empty());  // NOLINT(bugprone-use-after-move)
  EXPECT_EQ(third.Reveal(), "secret");
}

TEST(SecretTextTest, AppendsInPieces) {
  SecretText secret;
  EXPECT_TRUE(secret.empty());
  std::string expected;
  for (int i = 0; i < 1000; ++i) {
    secret.Append("abc");
    expected += "abc";
  }
  EXPECT_EQ(secret.Reveal(), expected);
  EXPECT_EQ(secret.size(), 3000u);
}

TEST(SecretTextTest, StripsOneLineEnd) {
  const std::pair<std::string, std::string> cases[] = {{"secret\n", "secret"},
                                                       {"secret\r\n", "secret"},
                                                       {"secret\n\n", "secret\n"},
                                                       {"secret\r", "secret\r"},
                                                       {" secret ", " secret "},
                                                       {"\n", ""},
                                                       {"", ""}};
  for (const auto& [given, expected] : cases) {
    SecretText secret((std::string(given)));
    secret.StripLineEnd();
    EXPECT_EQ(secret.Reveal(), expected);
  }
}

TEST(SecretTextTest, WipesStrings) {
  std::string text = "long enough not to be stored inside the string object itself";
  const char* const bytes = text.data();
  const size_t size = text.size();
  WipeString(text);
  EXPECT_TRUE(text.empty());
  EXPECT_EQ(std::string(bytes, size), std::string(size, '\0'));
}

}  // namespace
}  // namespace pat::client

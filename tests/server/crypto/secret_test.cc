#include "server/crypto/secret.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <ostream>
#include <string>
#include <type_traits>
#include <utility>

namespace pat {
namespace {

template <typename T>
concept Printable = requires(std::ostream& out, const T& value) {
  out << value;
};
template <typename T>
concept RevealableAsTemporary = requires(T value) {
  std::move(value).Reveal();
};

static_assert(Printable<std::string> && !Printable<Secret>);
static_assert(!RevealableAsTemporary<Secret>);
static_assert(!std::is_copy_constructible_v<Secret>);
static_assert(!std::is_copy_assignable_v<Secret>);
static_assert(std::is_nothrow_move_constructible_v<Secret>);
static_assert(std::is_nothrow_move_assignable_v<Secret>);
static_assert(!std::is_convertible_v<Secret, std::string>);
static_assert(!std::is_convertible_v<Secret, absl::string_view>);
static_assert(!std::is_constructible_v<std::string, Secret>);
static_assert(!std::is_convertible_v<std::string, Secret>);
static_assert(!std::is_constructible_v<Secret, const std::string&>, "a copy is something to see where it is made");

TEST(SecretTest, RevealsWhatWasPutIn) {
  const std::string with_nul("a\0b", 3);
  const Secret secret{std::string(with_nul)};
  EXPECT_EQ(secret.Reveal(), with_nul);
  EXPECT_EQ(secret.size(), 3u);
  EXPECT_FALSE(secret.empty());
}

TEST(SecretTest, IsEmptyByDefault) {
  const Secret secret;
  EXPECT_TRUE(secret.empty());
  EXPECT_EQ(secret.size(), 0u);
  EXPECT_EQ(secret.Reveal(), "");
  EXPECT_EQ(secret, Secret(std::string()));
}

TEST(SecretTest, WipesTheStringItTakes) {
  for (std::string text : {std::string("short"), std::string(100, 's')}) {
    const char* memory = text.data();
    const size_t size = text.size();
    const Secret secret(std::move(text));
    // Not moved-from but emptied: Secret promises that.
    EXPECT_EQ(text, "");  // NOLINT(bugprone-use-after-move)
    ASSERT_EQ(text.data(), memory);
    EXPECT_TRUE(std::all_of(memory, memory + size, [](char c) { return !c; }));
    EXPECT_EQ(secret.size(), size);
  }
}

TEST(SecretTest, MovingLeavesNothingBehind) {
  Secret from(std::string("short"));
  const char* memory = from.Reveal().data();
  Secret to(std::move(from));
  EXPECT_EQ(to.Reveal(), "short");
  EXPECT_EQ(to.Reveal().data(), memory) << "the bytes were copied";
  EXPECT_TRUE(from.empty());  // NOLINT(bugprone-use-after-move)
  EXPECT_EQ(from.Reveal(), "");

  Secret assigned(std::string("old"));
  assigned = std::move(to);
  EXPECT_EQ(assigned.Reveal(), "short");
  EXPECT_TRUE(to.empty());  // NOLINT(bugprone-use-after-move)
}

TEST(SecretTest, SurvivesMoveToItself) {
  Secret secret(std::string("text"));
  Secret& same = secret;
  secret = std::move(same);
  EXPECT_EQ(secret.Reveal(), "text");
}

// EXPECT_TRUE throughout: EXPECT_EQ would have to print.
TEST(SecretTest, ComparesContents) {
  const Secret a(std::string("token-1"));
  EXPECT_TRUE(a == Secret(std::string("token-1")));
  EXPECT_TRUE(a != Secret(std::string("token-2")));
  EXPECT_TRUE(a != Secret(std::string("token-")));
  EXPECT_TRUE(a != Secret());
}

}  // namespace
}  // namespace pat

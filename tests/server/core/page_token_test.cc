// A page token leads on in the list that it came from, and nowhere else.
#include "server/core/page_token.h"

#include <cstdint>
#include <limits>
#include <optional>
#include <string>

#include "gtest/gtest.h"
#include "server/crypto/bytes.h"

namespace pat {
namespace {

constexpr char kContext[] = "user:ada\nusers/ada\n0";

PageTokens WithKey(absl::string_view key) { return PageTokens(HmacSha256Key(AsBytes(key))); }

TEST(PageTokenTest, APositionComesBackInItsContext) {
  const PageTokens tokens = WithKey("key");
  for (const uint64_t position : {uint64_t{0}, uint64_t{1}, uint64_t{255}, uint64_t{256}, uint64_t{1} << 63,
                                  std::numeric_limits<uint64_t>::max()}) {
    EXPECT_EQ(tokens.Decode(tokens.Encode(position, kContext), kContext), position);
  }
}

TEST(PageTokenTest, AnotherContextDoesNotTakeIt) {
  const PageTokens tokens = WithKey("key");
  const std::string token = tokens.Encode(7, kContext);
  for (const absl::string_view other :
       {"", "user:bob\nusers/ada\n0", "user:ada\nusers/bob\n0", "user:ada\nusers/ada\n1", "user:ada\nusers/ada\n0 "}) {
    EXPECT_EQ(tokens.Decode(token, other), std::nullopt) << other;
  }
}

TEST(PageTokenTest, AnotherKeyDoesNotTakeIt) {
  EXPECT_EQ(WithKey("other").Decode(WithKey("key").Encode(7, kContext), kContext), std::nullopt);
}

// After a restart of the server a list goes on.
TEST(PageTokenTest, TheSameKeyTakesItInAnotherObject) {
  EXPECT_EQ(WithKey("key").Decode(WithKey("key").Encode(7, kContext), kContext), 7);
}

TEST(PageTokenTest, NoCharacterOfItCanBeChanged) {
  const PageTokens tokens = WithKey("key");
  const std::string token = tokens.Encode(7, kContext);
  for (size_t i = 0; i < token.size(); ++i) {
    std::string changed = token;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    EXPECT_EQ(tokens.Decode(changed, kContext), std::nullopt) << i;
  }
}

TEST(PageTokenTest, WhatIsNoTokenIsRefused) {
  const PageTokens tokens = WithKey("key");
  const std::string token = tokens.Encode(7, kContext);
  for (const std::string& bad : {std::string(), std::string("7"), std::string("not base64!"), token.substr(1),
                                 token.substr(0, token.size() - 1), token.substr(0, token.size() - 4), token + "AAAA",
                                 token + token, std::string(token.size(), 'A'), std::string(10'000, 'A')}) {
    EXPECT_EQ(tokens.Decode(bad, kContext), std::nullopt) << bad;
  }
}

// ---- Positions that are no numbers

TEST(PageTokenTest, ATextComesBackInItsContextOnly) {
  const PageTokens tokens = WithKey("key");
  for (const std::string& position : {std::string(), std::string("a"), std::string("user.name_0-9"),
                                      std::string("\0\xff", 2), std::string(1000, 'x')}) {
    const std::string token = tokens.EncodeText(position, kContext);
    EXPECT_EQ(tokens.DecodeText(token, kContext), position);
    EXPECT_EQ(tokens.DecodeText(token, "other"), std::nullopt);
    EXPECT_EQ(WithKey("other").DecodeText(token, kContext), std::nullopt);
    EXPECT_EQ(tokens.DecodeText(token.substr(4), kContext), std::nullopt);
  }
  EXPECT_EQ(tokens.DecodeText("", kContext), std::nullopt);
}

// The end of the position and the beginning of the context are no matter of taste.
TEST(PageTokenTest, WhatBelongsToThePositionDoesNotBelongToTheContext) {
  const PageTokens tokens = WithKey("key");
  const std::string token = tokens.EncodeText("ada", "bob");
  EXPECT_EQ(tokens.DecodeText(token, "abob"), std::nullopt);
  EXPECT_NE(tokens.EncodeText("adab", "ob"), token);
}

TEST(PageTokenTest, ATextIsNoNumberUnlessItHasItsLength) {
  const PageTokens tokens = WithKey("key");
  EXPECT_EQ(tokens.Decode(tokens.EncodeText("seven b", kContext), kContext), std::nullopt);
  EXPECT_EQ(tokens.Decode(tokens.EncodeText(BigEndian(7), kContext), kContext), 7);
  EXPECT_EQ(FromBigEndian(BigEndian(0x0102030405060708)), 0x0102030405060708);
  EXPECT_EQ(BigEndian(1), std::string("\0\0\0\0\0\0\0\1", 8));
}

// It is pasted into shells and URLs.
TEST(PageTokenTest, ItNeedsNoQuoting) {
  const PageTokens tokens = WithKey("key");
  for (uint64_t position = 0; position < 100; ++position) {
    const std::string token = tokens.Encode(position, kContext);
    EXPECT_EQ(token.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
              std::string::npos)
        << token;
  }
}

TEST(EffectivePageSizeTest, NoneIsFiftyAndNoneIsOverTwoHundred) {
  EXPECT_EQ(EffectivePageSize(0), 50);
  EXPECT_EQ(EffectivePageSize(1), 1);
  EXPECT_EQ(EffectivePageSize(199), 199);
  EXPECT_EQ(EffectivePageSize(200), 200);
  EXPECT_EQ(EffectivePageSize(201), 200);
  EXPECT_EQ(EffectivePageSize(std::numeric_limits<int64_t>::max()), 200);
}

TEST(EffectivePageSizeTest, ANegativeOneIsAMistake) {
  EXPECT_EQ(EffectivePageSize(-1), std::nullopt);
  EXPECT_EQ(EffectivePageSize(std::numeric_limits<int64_t>::min()), std::nullopt);
}

}  // namespace
}  // namespace pat

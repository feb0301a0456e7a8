#include "client/patctl/text.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace pat::patctl {
namespace {

TEST(PrintableTest, LeavesTextAlone) {
  for (const char* text : {"", "plain text", "Grüße", "日本語", "🔑 key", "a\\b", "~ }"}) {
    EXPECT_EQ(Printable(text), text);
  }
}

TEST(PrintableTest, EscapesWhatMovesOrColoursTheTerminal) {
  EXPECT_EQ(Printable("\x1b[31mred"), "\\x1b[31mred");
  EXPECT_EQ(Printable("a\nb\rc\td\be"), "a\\x0ab\\x0dc\\x09d\\x08e");
  EXPECT_EQ(Printable(std::string("a\0b", 3)), "a\\x00b");
  EXPECT_EQ(Printable("\x7f"), "\\x7f");
  EXPECT_EQ(Printable("\xc2\x9b"
                      "31m"),
            "\\x9b31m");  // CSI as one character.
}

TEST(PrintableTest, EscapesWhatHidesOrReorders) {
  EXPECT_EQ(Printable("abc\u202edef"), "abc\\u{202e}def");
  EXPECT_EQ(Printable("a\u200bb"), "a\\u{200b}b");
  EXPECT_EQ(Printable("a\u2028b"), "a\\u{2028}b");
  EXPECT_EQ(Printable("\ufeffa"), "\\u{feff}a");
  EXPECT_EQ(Printable("\U000E0041"), "\\u{e0041}");
}

TEST(PrintableTest, EscapesBytesThatAreNotUtf8) {
  const std::pair<std::string, std::string> cases[] = {{"\xff", "\\xff"},
                                                       {"a\x80z", "a\\x80z"},  // A continuation without a beginning.
                                                       {"\xc3", "\\xc3"},      // Cut off.
                                                       {"\xe2\x82", "\\xe2\\x82"},                    //
                                                       {"\xc0\xaf", "\\xc0\\xaf"},                    // Overlong.
                                                       {"\xe0\x80\x9b", "\\xe0\\x80\\x9b"},           //
                                                       {"\xed\xa0\x80", "\\xed\\xa0\\x80"},           // A surrogate.
                                                       {"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"},  // Beyond Unicode.
                                                       {"\xc3(", "\\xc3("},  // A beginning without continuation.
                                                       {"\xf0\x9f\x94\x91", "\xf0\x9f\x94\x91"}};  // Good.
  for (const auto& [text, expected] : cases) EXPECT_EQ(Printable(text), expected);
}

TEST(WidthTest, CountsCodePoints) {
  EXPECT_EQ(Width(""), 0u);
  EXPECT_EQ(Width("abc"), 3u);
  EXPECT_EQ(Width("Grüße"), 5u);
}

TEST(MaskSecretsTest, HidesWhatLooksLikeASecret) {
  const std::string secret = "pat_0123456789abcdefghijABCDEFGHIJ0123456789abcdefghi";
  EXPECT_EQ(MaskSecrets(secret), "pat_...");
  EXPECT_EQ(MaskSecrets("not expected: " + secret + ", " + secret + "!"), "not expected: pat_..., pat_...!");
  EXPECT_EQ(MaskSecrets("pat_0123456789abcdef"), "pat_...");  // Part of one.
  EXPECT_EQ(MaskSecrets("pat_pat_0123456789abcdef"), "pat_pat_...");
}

TEST(MaskSecretsTest, LeavesTheRestAlone) {
  for (const char* text : {"", "pat_", "pat_sidecar", "compat_layer", "no token here"})
    EXPECT_EQ(MaskSecrets(text), text);
}

TEST(LooksLikeSecretTest, GoesByPrefixAndLength) {
  EXPECT_TRUE(LooksLikeSecret("pat_0123456789abcdefghijABCDEFGHIJ0123456789abcdefghi"));
  EXPECT_FALSE(LooksLikeSecret("pat_ci"));
  EXPECT_FALSE(LooksLikeSecret("users/ada/tokens/0b6e2d43-7a1f-4c58-9d0e-5f2a8c417be3"));
  EXPECT_FALSE(LooksLikeSecret(""));
}

}  // namespace
}  // namespace pat::patctl

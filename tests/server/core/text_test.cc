// What a text may hold.
#include "server/core/text.h"

#include <string>

#include "absl/strings/string_view.h"
#include "gtest/gtest.h"

namespace pat {
namespace {

TEST(TextTest, CharactersAreCountedAndNotBytes) {
  EXPECT_EQ(CodePoints(""), 0);
  EXPECT_EQ(CodePoints("ada"), 3);
  EXPECT_EQ(CodePoints("пароль"), 6);
  EXPECT_EQ(CodePoints("🔑🔑"), 2);
}

TEST(TextTest, ControlCharactersAreFoundWhereverTheyAre) {
  for (const absl::string_view bad :
       {absl::string_view("\0", 1), absl::string_view("a\nb"), absl::string_view("\x1f"), absl::string_view("\x7f"),
        absl::string_view("\xc2\x80"), absl::string_view("a\xc2\x9f"), absl::string_view("\xe2\x80\xa8"),
        absl::string_view("\xe2\x80\xa9")}) {
    EXPECT_TRUE(HasControlCharacter(bad, /*allow_lines=*/false)) << bad;
  }
  for (const absl::string_view good : {" ~", "\xc2\xa0", "\xe2\x80\xa7", "é", "🔑", ""}) {
    EXPECT_FALSE(HasControlCharacter(good, /*allow_lines=*/false)) << good;
  }
}

TEST(TextTest, LinesAreAllowedWhereTheyAre) {
  EXPECT_FALSE(HasControlCharacter("a\n\tb", /*allow_lines=*/true));
  EXPECT_TRUE(HasControlCharacter("a\rb", /*allow_lines=*/true));
}

TEST(TextTest, Utf8IsUtf8) {
  for (const absl::string_view good : {"", "ada", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf",
                                       "\xee\x80\x80", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf", "пароль 🔑"}) {
    EXPECT_TRUE(IsUtf8(good)) << good;
  }
  for (const absl::string_view bad : {"\x80", "\xbf", "a\xff", "\xc0\x80", "\xc1\xbf", "\xc3", "\xc3(", "\xe0\x80\x80",
                                      "\xe0\x9f\xbf", "\xed\xa0\x80", "\xed\xbf\xbf", "\xe2\x82", "\xf0\x80\x80\x80",
                                      "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xf0\x9f\x94"}) {
    EXPECT_FALSE(IsUtf8(bad)) << bad;
  }
  EXPECT_TRUE(IsUtf8(absl::string_view("\0", 1)));  // A control character, but well-formed.
}

TEST(TextTest, PrintableAsciiHasSpacesAndNothingBeyondTilde) {
  EXPECT_TRUE(IsPrintableAscii(" ~"));
  EXPECT_FALSE(IsPrintableAscii("\x1f"));
  EXPECT_FALSE(IsPrintableAscii("\x7f"));
  EXPECT_FALSE(IsPrintableAscii("é"));
}

}  // namespace
}  // namespace pat

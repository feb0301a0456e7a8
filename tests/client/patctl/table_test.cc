#include "client/patctl/table.h"

#include <gtest/gtest.h>

namespace pat::patctl {
namespace {

TEST(TableTest, AlignsColumns) {
  Table table({"NAME", "STATE", "ID"});
  table.AddRow({"ci", "ACTIVE", "1"});
  table.AddRow({"nightly backup", "EXPIRED", "2"});
  EXPECT_EQ(table.ToString(),
            "NAME            STATE    ID\n"
            "ci              ACTIVE   1\n"
            "nightly backup  EXPIRED  2\n");
}

TEST(TableTest, CountsCharactersAndNotBytes) {
  Table table;
  table.AddRow({"Grüße", "x"});
  table.AddRow({"abcde", "y"});
  EXPECT_EQ(table.ToString(), "Grüße  x\nabcde  y\n");
}

TEST(TableTest, EndsLinesWithoutBlanks) {
  Table table({"A", "B", "C"});
  table.AddRow({"x", "", ""});
  table.AddRow({"y"});
  EXPECT_EQ(table.ToString(), "A  B  C\nx\ny\n");
}

TEST(TableTest, ListsHaveTheirNameOnce) {
  Table table;
  table.AddList("SCOPES", {"A", "B"});
  table.AddList("NONE", {});
  table.AddRow({"ID", "1"});
  EXPECT_EQ(table.ToString(), "SCOPES  A\n        B\nID      1\n");
}

TEST(TableTest, EscapesEveryCell) {
  Table table({"NAME"});
  table.AddRow({"\x1b[2J"});
  table.AddList("L", {"a\nb"});
  EXPECT_EQ(table.ToString(), "NAME\n\\x1b[2J\nL        a\\x0ab\n");
}

}  // namespace
}  // namespace pat::patctl

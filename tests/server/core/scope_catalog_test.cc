#include "server/core/scope_catalog.h"

#include <unistd.h>

#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/source_path.h"

namespace pat {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

using CatalogPtr = std::shared_ptr<const ScopeCatalog>;
using Names = std::vector<std::string>;

std::string Line(absl::string_view name, absl::string_view implies = "", absl::string_view status = "own") {
  return absl::StrCat("R\tProduct\t", name, "\t", implies, "\tDescription.\t", status, "\n");
}

CatalogPtr Parsed(absl::string_view text) {
  absl::StatusOr<CatalogPtr> catalog = ScopeCatalog::Parse(text);
  EXPECT_TRUE(catalog.ok()) << catalog.status();
  return catalog.ok() ? *std::move(catalog) : nullptr;
}

// What Parse says against `text`.
std::string Refusal(absl::string_view text) {
  const absl::StatusOr<CatalogPtr> catalog = ScopeCatalog::Parse(text);
  EXPECT_EQ(catalog.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_LT(catalog.status().message().size(), 4096);
  return std::string(catalog.status().message());
}

Names ClosureOf(const ScopeCatalog& catalog, const Names& scopes) { return catalog.Closure(scopes).ToVector(); }

// ---- The shipped catalogue.

class ShippedCatalogTest : public ::testing::Test {
 protected:
  void SetUp() override {
    absl::StatusOr<CatalogPtr> catalog = ScopeCatalog::Load(SourcePath("deploy/scopes.tsv"));
    ASSERT_TRUE(catalog.ok()) << catalog.status();
    catalog_ = *std::move(catalog);
    // The file once more, read by other code.
    for (const absl::string_view line : absl::StrSplit(ReadSourceFile("deploy/scopes.tsv"), '\n')) {
      if (line.empty() || line[0] == '#') continue;
      const Names fields = absl::StrSplit(line, '\t');
      ASSERT_EQ(fields.size(), 6) << line;
      rows_[fields[2]] = fields;
    }
  }

  void AddClosure(const std::string& name, absl::btree_set<std::string>& closure) const {
    if (!closure.insert(name).second) return;
    for (const auto& next : absl::StrSplit(rows_.at(name)[3], ' ', absl::SkipEmpty())) {
      AddClosure(std::string(next), closure);
    }
  }

  CatalogPtr catalog_;
  absl::btree_map<std::string, Names> rows_;
};

TEST_F(ShippedCatalogTest, HasAll154NamesWithWhatTheFileSays) {
  EXPECT_EQ(rows_.size(), 154);
  ASSERT_EQ(catalog_->entries().size(), 154);
  auto row = rows_.begin();  // Sorted by bytes, as the entries are.
  for (const ScopeEntry& entry : catalog_->entries()) {
    EXPECT_EQ(
        absl::StrJoin({entry.resource, entry.product, entry.name, absl::StrJoin(entry.implies, " "), entry.description},
                      "\t"),
        absl::StrJoin(row->second.begin(), row->second.begin() + 5, "\t"));
    EXPECT_EQ(entry.documented, row->second[5] == "documented") << entry.name;
    EXPECT_TRUE(catalog_->Contains(entry.name)) << entry.name;
    ++row;
  }
  EXPECT_EQ(absl::c_count_if(catalog_->entries(), [](const ScopeEntry& entry) { return entry.documented; }), 54);
}

TEST_F(ShippedCatalogTest, TheClosureOfEachNameIsWhatTheFileImplies) {
  size_t total = 0;
  for (const auto& [name, row] : rows_) {
    absl::btree_set<std::string> right;
    AddClosure(name, right);
    const ScopeSet closure = catalog_->Closure({name});
    EXPECT_THAT(closure.ToVector(), ElementsAreArray(right)) << name;
    for (const auto& [other, unused] : rows_)
      EXPECT_EQ(closure.Contains(other), right.contains(other)) << name << other;
    total += right.size();
  }
  EXPECT_EQ(total, 243);  // Counted by a script of its own.
}

TEST_F(ShippedCatalogTest, TheClosureOfSeveralIsTheUnionOfTheirs) {
  EXPECT_THAT(ClosureOf(*catalog_, {"TM.Defects", "OR.Folders.Read", "TM.Defects.Read"}),
              ElementsAre("OR.Folders.Read", "TM.Defects", "TM.Defects.Read", "TM.Defects.Write"));
}

TEST_F(ShippedCatalogTest, TheStarIsEverythingAndNoName) {
  Names everything;
  for (const auto& [name, row] : rows_) everything.push_back(name);
  EXPECT_EQ(ClosureOf(*catalog_, {"*"}), everything);
  EXPECT_EQ(ClosureOf(*catalog_, {"OR.Folders", "*", "no such scope"}), everything);
  EXPECT_FALSE(catalog_->Contains("*"));
  EXPECT_FALSE(catalog_->Closure({"*"}).Contains("*"));
  EXPECT_THAT(ClosureOf(*catalog_, {"OR.*", "**", " *", "*.Read", "?", ""}), IsEmpty());
}

// Names whose dots mean nothing: what a rule on dots would cover, the catalogue does not, and the other way round.
TEST_F(ShippedCatalogTest, IrregularNamesCoverOnlyWhatTheFileSays) {
  // No parent of that name at all.
  for (const std::string name : {"Du.Digitization.Api", "Du.DocumentManager.Document", "DataFabric.Data.Read",
                                 "DataFabric.Data.Write", "DataFabric.Schema.Read", "AI.Helper.Read", "Ixp.ApiAccess",
                                 "OR.Default", "PIMS.Default", "PM.OAuthApp", "PM.Security", "PAT.SelfRegenerate"}) {
    EXPECT_EQ(ClosureOf(*catalog_, {name}), Names{name});
  }
  for (const std::string parent :
       {"Du", "Du.Digitization", "DataFabric", "DataFabric.Data", "AI.Helper", "OR", "PAT"}) {
    EXPECT_FALSE(catalog_->Contains(parent)) << parent;
    EXPECT_TRUE(catalog_->Closure({parent}).empty()) << parent;
  }
  // A parent that covers reading and has no child for writing.
  for (const std::string name : {"OR.BusinessRules", "TM.Requirements", "PM.Audit", "PIMS.Execution"}) {
    EXPECT_EQ(ClosureOf(*catalog_, {name}), (Names{name, name + ".Read"}));
    EXPECT_FALSE(catalog_->Contains(name + ".Write")) << name;
  }
  // One name the beginning of another.
  EXPECT_FALSE(catalog_->Closure({"OR.TestSets"}).Contains("OR.TestSetSchedules"));
  EXPECT_FALSE(catalog_->Closure({"OR.TestSets"}).Contains("TM.TestSets"));
  EXPECT_FALSE(catalog_->Closure({"PM.User"}).Contains("PM.UserLoginAttempt.Read"));
}

TEST_F(ShippedCatalogTest, NamesAreComparedByTheByte) {
  for (const absl::string_view name :
       {absl::string_view("or.folders"), absl::string_view("OR.FOLDERS"), absl::string_view(" OR.Folders"),
        absl::string_view("OR.Folders "), absl::string_view("OR.Folders\0", 11), absl::string_view("")}) {
    EXPECT_FALSE(catalog_->Contains(name)) << name;
    EXPECT_TRUE(catalog_->Closure({std::string(name)}).empty()) << name;
  }
}

Names SearchNames(const ScopeCatalog& catalog, absl::string_view query) {
  Names names;
  for (const ScopeEntry* entry : catalog.Search(query)) names.push_back(entry->name);
  return names;
}

TEST_F(ShippedCatalogTest, SearchFindsWordsInAnyFieldWhateverTheirCase) {
  EXPECT_THAT(SearchNames(*catalog_, "or.folders"), ElementsAre("OR.Folders", "OR.Folders.Read", "OR.Folders.Write"));
  EXPECT_THAT(SearchNames(*catalog_, "SELF"), ElementsAre("PAT.SelfRegenerate"));
  EXPECT_THAT(SearchNames(*catalog_, "data fabric"), SizeIs(3));                                  // The product.
  EXPECT_THAT(SearchNames(*catalog_, "calendars"), Contains("OR.Administration"));                // The description.
  EXPECT_THAT(SearchNames(*catalog_, "manager DEFECTS write"), ElementsAre("TM.Defects.Write"));  // Several fields.
}

TEST_F(ShippedCatalogTest, SearchWantsEveryWordInAnyOrder) {
  EXPECT_EQ(SearchNames(*catalog_, "read folders"), SearchNames(*catalog_, " folders\t\n read "));
  EXPECT_THAT(SearchNames(*catalog_, "folders unicorns"), IsEmpty());
  EXPECT_THAT(SearchNames(*catalog_, std::string(100'000, 'x')), IsEmpty());
  EXPECT_THAT(SearchNames(*catalog_, ".*"), IsEmpty());  // Text, not a pattern.
}

TEST_F(ShippedCatalogTest, SearchForNothingFindsEverythingSorted) {
  for (const absl::string_view query : {"", "  \t "}) {
    const Names found = SearchNames(*catalog_, query);
    EXPECT_THAT(found, SizeIs(154));
    EXPECT_TRUE(absl::c_is_sorted(found));
  }
}

TEST_F(ShippedCatalogTest, NearestFindsWhatWasMeant) {
  for (const auto& [typed, meant] :
       std::vector<std::pair<std::string, std::string>>{{"OR.Folder", "OR.Folders"},
                                                        {"or.folders.read", "OR.Folders.Read"},
                                                        {"OR.Folders.Raed", "OR.Folders.Read"},
                                                        {"Folders.Read", "OR.Folders.Read"},
                                                        {"TM.Defect.Write", "TM.Defects.Write"},
                                                        {"OR_Jobs", "OR.Jobs"},
                                                        {"PAT.SelfRegen", "PAT.SelfRegenerate"},
                                                        {"OR.Folders", "OR.Folders"}}) {
    const Names near = catalog_->Nearest(typed, 3);
    ASSERT_FALSE(near.empty()) << typed;
    EXPECT_EQ(near.front(), meant) << typed;
  }
}

TEST_F(ShippedCatalogTest, NearestKeepsToTheLimitAndIsEmptyIfNothingIsNear) {
  EXPECT_THAT(catalog_->Nearest("OR.Folders.Rea", 1), ElementsAre("OR.Folders.Read"));
  EXPECT_THAT(catalog_->Nearest("OR.Folders.Read", 100), Contains("OR.Folders.Write"));
  EXPECT_THAT(catalog_->Nearest("OR.Folders", 0), IsEmpty());
  for (const std::string& far :
       {std::string(), std::string("*"), std::string("unicorns"), std::string(8'000'000, 'O')}) {
    EXPECT_THAT(catalog_->Nearest(far, 10), IsEmpty()) << far.substr(0, 20);
  }
}

// ---- Any catalogue.

TEST(ParseTest, KeepsTheFieldsOfALine) {
  const CatalogPtr catalog = Parsed("OR\tOrchestrator, the\tOR.A\tOR.B OR.C\tÄ \"b\".\tdocumented\n" + Line("OR.B") +
                                    Line("OR.C", "", "observed"));
  ASSERT_NE(catalog, nullptr);
  const ScopeEntry& entry = catalog->entries()[0];
  EXPECT_EQ(entry.name, "OR.A");
  EXPECT_EQ(entry.resource, "OR");
  EXPECT_EQ(entry.product, "Orchestrator, the");
  EXPECT_EQ(entry.description, "Ä \"b\".");
  EXPECT_THAT(entry.implies, ElementsAre("OR.B", "OR.C"));
  EXPECT_TRUE(entry.documented);
  EXPECT_FALSE(catalog->entries()[1].documented);
  EXPECT_FALSE(catalog->entries()[2].documented);
}

TEST(ParseTest, SortsByBytesWhateverTheOrderOfTheLines) {
  const Names sorted = {"-", "A", "A-B", "A.B", "AB", "B", "_", "a", "b"};
  Names order = {"b", "A.B", "_", "AB", "-", "a", "B", "A", "A-B"};
  for (size_t turn = 0; turn < order.size(); ++turn) {
    absl::c_rotate(order, order.begin() + 1);
    std::string text;
    for (const std::string& name : order) text += Line(name);
    const CatalogPtr catalog = Parsed(text);
    EXPECT_EQ(ClosureOf(*catalog, {"*"}), sorted);
    Names names;
    for (const ScopeEntry& entry : catalog->entries()) names.push_back(entry.name);
    EXPECT_EQ(names, sorted);
  }
}

TEST(ParseTest, TakesCommentsAndEmptyLinesAnywhereCrLfAndAMissingLastNewline) {
  const std::string plain = Line("A", "B") + Line("B");
  std::string cut = plain;
  cut.pop_back();
  for (const std::string& text : {plain, cut, "# first\n" + Line("A", "B") + "\n#\tone\ttwo\n" + Line("B") + "# last",
                                  absl::StrReplaceAll("\n# c\n" + plain + "\n", {{"\n", "\r\n"}}),
                                  absl::StrReplaceAll(cut, {{"\n", "\r\n"}}) + "\r"}) {
    const CatalogPtr catalog = Parsed(text);
    ASSERT_NE(catalog, nullptr) << text;
    EXPECT_EQ(ClosureOf(*catalog, {"A"}), (Names{"A", "B"})) << text;
  }
}

TEST(ParseTest, FollowsImplicationStepByStep) {
  // A diamond, a name written twice, more blanks than needed, and lines in no helpful order.
  const CatalogPtr catalog =
      Parsed(Line("C", "D D") + Line("A", "  B   C ") + Line("D", "E") + Line("E") + Line("B", "D") + Line("F", "A"));
  EXPECT_EQ(ClosureOf(*catalog, {"A"}), (Names{"A", "B", "C", "D", "E"}));
  EXPECT_EQ(ClosureOf(*catalog, {"B"}), (Names{"B", "D", "E"}));
  EXPECT_EQ(ClosureOf(*catalog, {"E"}), Names{"E"});
  EXPECT_EQ(ClosureOf(*catalog, {"F"}), ClosureOf(*catalog, {"*"}));
}

TEST(ParseTest, AChainOfThousandsIsNoProblem) {
  constexpr int kLength = 5000;
  std::string text;
  for (int i = 0; i < kLength; ++i) text += Line(absl::StrCat("S", i), i + 1 < kLength ? absl::StrCat("S", i + 1) : "");
  EXPECT_THAT(ClosureOf(*Parsed(text), {"S0"}), SizeIs(kLength));
  EXPECT_THAT(ClosureOf(*Parsed(text), {"S4999"}), ElementsAre("S4999"));
}

TEST(ParseTest, TakesNamesOf128BytesAndAllAllowedCharacters) {
  const std::string longest(128, 'x');
  const CatalogPtr catalog = Parsed(Line(longest) + Line("azAZ09._-"));
  EXPECT_TRUE(catalog->Contains(longest));
  EXPECT_TRUE(catalog->Contains("azAZ09._-"));
}

TEST(ParseTest, RefusesNamesThatAreNone) {
  for (const std::string& name : {std::string(), std::string(129, 'x'), std::string("*"), std::string("OR Folders"),
                                  std::string("OR.Folders "), std::string("OR:Folders"), std::string("OR/Folders"),
                                  std::string("Ö"), std::string("a\0b", 3), std::string("\r")}) {
    const std::string refusal = Refusal("# c\n" + Line("A") + Line(name));
    EXPECT_THAT(refusal, AllOf(HasSubstr("line 3: "), HasSubstr("must be 1 to 128 letters, digits, '.', '_' and '-'")));
    EXPECT_THAT(refusal, Not(HasSubstr(std::string(1, '\0'))));
  }
  EXPECT_THAT(Refusal(Line("OR Folders")), HasSubstr(R"(scope "OR Folders")"));
  EXPECT_THAT(Refusal(Line("Ö")), HasSubstr(R"("\xc3\x96")"));
}

TEST(ParseTest, RefusesALineWithoutSixFields) {
  EXPECT_EQ(
      Refusal(Line("A") + "OR\tOrchestrator\tB\n"),
      "line 2: \"OR\\tOrchestrator\\tB\" has 3 fields; it must have 6, separated by tabs: resource, product, scope, "
      "implies, description, status");
  EXPECT_THAT(Refusal("one\n"), HasSubstr("line 1: \"one\" has 1 field;"));
  EXPECT_THAT(Refusal("R\tP\tA\t\tD\town\t\n"), HasSubstr("has 7 fields"));
  EXPECT_THAT(Refusal(" \n"), HasSubstr("line 1: \" \" has 1 field"));
  EXPECT_THAT(Refusal(Line("A") + " # not at the beginning of the line\n"), HasSubstr("line 2: "));
  EXPECT_THAT(Refusal(absl::StrReplaceAll(Line("A"), {{"\t", "    "}})), HasSubstr("has 1 field"));
}

TEST(ParseTest, RefusesHugeLinesWithoutRepeatingThem) {
  EXPECT_THAT(Refusal(std::string(8'000'000, 'x')), HasSubstr("has 1 field;"));
  EXPECT_THAT(Refusal(std::string(5'000'000, '\t')), HasSubstr("has 5000001 fields;"));
  EXPECT_THAT(Refusal(Line(std::string(8'000'000, 'x'))), HasSubstr("must be 1 to 128"));
  EXPECT_THAT(Refusal(Line("A", "", std::string(8'000'000, 'x'))), HasSubstr("documented, observed or own"));
  EXPECT_THAT(Refusal(Line("A", std::string(8'000'000, 'x'))), HasSubstr("line 1: scope \"A\" implies \"xxx"));
  EXPECT_TRUE(Parsed("#" + std::string(8'000'000, 'x') + "\n" + Line("A"))->Contains("A"));
}

TEST(ParseTest, RefusesAnUnknownStatus) {
  EXPECT_EQ(Refusal(Line("A") + Line("B", "", "Documented")),
            "line 2: scope \"B\" has the status \"Documented\"; it must be documented, observed or own");
  for (const absl::string_view status : {"", "own ", "documented observed"}) {
    EXPECT_THAT(Refusal(Line("A", "", status)), HasSubstr(absl::StrCat("\"", status, "\"")));
  }
}

TEST(ParseTest, RefusesADuplicateAndNamesBothLines) {
  EXPECT_EQ(Refusal("# c\n" + Line("A") + Line("B") + Line("A", "B")),
            "line 4: scope \"A\" is already on line 2; each name must be there once");
}

TEST(ParseTest, RefusesToImplyWhatIsNotThere) {
  EXPECT_EQ(
      Refusal(Line("A", "B C") + Line("B")),
      "line 1: scope \"A\" implies \"C\", which the catalogue does not have; it must be the name of another line");
  EXPECT_THAT(Refusal(Line("A", "*")), HasSubstr("implies \"*\""));
  EXPECT_THAT(Refusal(Line("A", "B,C") + Line("B") + Line("C")), HasSubstr("implies \"B,C\""));
  EXPECT_THAT(Refusal(Line("Z", "X") + Line("A", "Y")), HasSubstr("line 1: "));  // The first in the file, not by name.
}

TEST(ParseTest, RefusesCyclesAndNamesThem) {
  EXPECT_EQ(Refusal(Line("A", "A")),
            "line 1: scope \"A\" implies itself: \"A\" > \"A\"; what a scope implies must not lead back to it");
  EXPECT_THAT(Refusal(Line("B", "A") + Line("A", "B")),
              HasSubstr("line 1: scope \"B\" implies itself: \"B\" > \"A\" > \"B\";"));
  // Above the cycle, below it and beside it are others that are not to blame.
  const std::string refusal = Refusal(Line("Top", "Low M") + Line("M", "N") + Line("N", "Low O") + Line("O", "M") +
                                      Line("Low") + Line("Other", "Low"));
  EXPECT_THAT(refusal, HasSubstr("line 2: scope \"M\" implies itself: \"M\" > \"N\" > \"O\" > \"M\";"));
}

TEST(ParseTest, ALongCycleIsShownInPart) {
  std::string text;
  for (int i = 0; i < 5000; ++i) text += Line(absl::StrCat("S", i), absl::StrCat("S", (i + 1) % 5000));
  EXPECT_THAT(Refusal(text), AllOf(HasSubstr("line 1: scope \"S0\""), HasSubstr("\"S7\" > (4992 more) > \"S0\";")));
}

TEST(ParseTest, RefusesAnEmptyCatalogue) {
  for (const absl::string_view text : {"", "\n", "\r\n\r\n", "# only\n# comments"}) {
    EXPECT_THAT(Refusal(text), HasSubstr("the catalogue is empty; it must have at least one line")) << text;
  }
}

// Names of 125 bytes, each of which takes 128 of an answer.
std::string NamesThatTake(size_t bytes) {
  std::string text;
  for (size_t i = 0; i < bytes / 128; ++i) text += Line(absl::StrCat(std::string(120, 'x'), 10'000 + i));
  return text;
}

TEST(ParseTest, RefusesMoreNamesThanAnAnswerHasRoomFor) {
  const std::string most = NamesThatTake(kMostScopeBytes);
  EXPECT_THAT(Parsed(most)->entries(), SizeIs(1536));
  EXPECT_THAT(
      Refusal(most + Line("A")),
      HasSubstr("the names of its 1537 scopes take 196612 bytes in an answer (each 3 more than it has); at most "
                "196608"));
  // Short names have more around them than in them.
  std::string shorter;
  for (int i = 0; i < 33'000; ++i) shorter += Line(absl::StrCat(i));
  EXPECT_THAT(Refusal(shorter), HasSubstr("33000 scopes"));
}

// ---- Reading from a file.

TEST(LoadTest, NamesThePathOfAFileThatIsNotThere) {
  for (const std::string path : {"/nonexistent/scopes.tsv", "/dev/null/scopes.tsv", ""}) {
    const absl::Status status = ScopeCatalog::Load(path).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kNotFound) << status;
    EXPECT_THAT(status.message(), HasSubstr(path));
  }
}

TEST(LoadTest, NamesThePathOfAFileThatIsWrong) {
  const std::string directory = ::testing::TempDir();
  EXPECT_EQ(ScopeCatalog::Load(directory).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(ScopeCatalog::Load(directory).status().message(), AllOf(HasSubstr(directory), HasSubstr("directory")));

  const std::string path = absl::StrCat(directory, "/pat_scope_catalog_test.", getpid(), ".tsv");
  std::ofstream(path) << Line("A") << "wrong\n";
  const absl::Status status = ScopeCatalog::Load(path).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(status.message(), AllOf(HasSubstr(path), HasSubstr("line 2: \"wrong\" has 1 field")));

  std::ofstream(path) << NamesThatTake(kMostScopeBytes) << Line("A");
  EXPECT_THAT(ScopeCatalog::Load(path).status().message(),
              AllOf(HasSubstr(path), HasSubstr("196612"), HasSubstr("196608")));

  // Longer than any buffer.
  std::ofstream(path) << "#" << std::string(100'000, 'x') << "\n" << Line("A", "B") << Line("B");
  const absl::StatusOr<CatalogPtr> catalog = ScopeCatalog::Load(path);
  ASSERT_TRUE(catalog.ok()) << catalog.status();
  EXPECT_EQ(ClosureOf(**catalog, {"A"}), (Names{"A", "B"}));
  EXPECT_EQ(unlink(path.c_str()), 0);
}

// ---- Sets.

// 130 names are three words of bits, the last one with two.
Names ManyNames() {
  Names names;
  for (int i = 100; i < 230; ++i) names.push_back(absl::StrCat("S", i));
  return names;
}

ScopeSet SetOf(const std::shared_ptr<const ScopeNames>& names, const std::vector<uint32_t>& indices) {
  ScopeSet set(names);
  for (const uint32_t index : indices) set.Add(index);
  return set;
}

TEST(ScopeNamesTest, SortsAndRemovesDuplicates) {
  const ScopeNames names({"b", "a", "b", "B"});
  ASSERT_EQ(names.size(), 3);
  EXPECT_EQ(names.name(0), "B");
  EXPECT_EQ(names.Find("a"), 1);
  EXPECT_EQ(names.Find("c"), ScopeNames::kUnknown);
  EXPECT_EQ(names.Find(""), ScopeNames::kUnknown);
}

TEST(ScopeSetTest, ComputesOverSeveralWords) {
  const auto names = std::make_shared<const ScopeNames>(ManyNames());
  ScopeSet set = SetOf(names, {0, 63, 64, 127, 129});
  EXPECT_THAT(set.ToVector(), ElementsAre("S100", "S163", "S164", "S227", "S229"));
  set.UniteWith(SetOf(names, {1, 64, 128}));
  EXPECT_EQ(set, SetOf(names, {0, 1, 63, 64, 127, 128, 129}));
  set.Subtract(SetOf(names, {0, 2, 127}));
  EXPECT_EQ(set, SetOf(names, {1, 63, 64, 128, 129}));
  set.IntersectWith(SetOf(names, {1, 2, 65, 128}));
  EXPECT_EQ(set, SetOf(names, {1, 128}));
  EXPECT_TRUE(set.Contains("S228"));
  EXPECT_FALSE(set.Contains("S229"));
  EXPECT_FALSE(set.empty());
  set.IntersectWith(SetOf(names, {}));
  EXPECT_TRUE(set.empty());
}

TEST(ScopeSetTest, AgreesWithACatalogueThatIsGone) {
  CatalogPtr catalog = Parsed(Line("A", "B") + Line("B"));
  const ScopeSet set = catalog->Closure({"A"});
  catalog.reset();
  EXPECT_TRUE(set.Contains("B"));
  EXPECT_EQ(set.ToVector(), (Names{"A", "B"}));
}

TEST(ScopeSetTest, OneWithoutNamesIsTheEmptySet) {
  const auto names = std::make_shared<const ScopeNames>(ManyNames());
  const ScopeSet some = SetOf(names, {3, 70});
  ScopeSet set;
  EXPECT_TRUE(set.empty());
  EXPECT_FALSE(set.Contains("S100"));
  EXPECT_EQ(set, SetOf(names, {}));
  set.IntersectWith(some);
  set.Subtract(some);
  EXPECT_TRUE(set.empty());
  set.UniteWith(some);
  EXPECT_EQ(set, some);
  set.Subtract(ScopeSet());
  set.UniteWith(ScopeSet());
  EXPECT_EQ(set, some);
  set.IntersectWith(ScopeSet());
  EXPECT_TRUE(set.empty());
}

}  // namespace
}  // namespace pat

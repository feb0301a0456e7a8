// Who did, or was refused, what: how it is kept, put together, bounded and looked at.
#include "server/core/audit_log.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/refusal.h"
#include "tests/support/test_authority.h"

namespace pat {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr char kRevoke[] = "pat.v1.TokenService/RevokeToken";
constexpr char kCreate[] = "pat.v1.TokenService/CreateToken";

class AuditLogTest : public testing::Test {
 protected:
  AuditLogTest() {
    for (const absl::string_view id : {"ada", "bob"}) authority_.AddUser(id);
    // The beginning of a minute.
    authority_.time.Advance(absl::Seconds(40));
  }

  absl::Time Now() const { return authority_.clock.Now(); }
  void Advance(absl::Duration duration) { authority_.time.Advance(duration); }
  void Flush(bool all = false) { EXPECT_EQ(audit_.Flush(all), absl::OkStatus()); }
  std::vector<AuditRecord> Kept() { return authority_.engine->ListAudit({.limit = 10'000}).value().rows; }

  // As many flushes as it takes, one a second.
  void FlushFor(int seconds) {
    for (int i = 0; i < seconds; ++i) {
      Flush();
      Advance(absl::Seconds(1));
    }
  }

  TestAuthority authority_;
  std::vector<AuditRecord> told_;
  AuditLog audit_{authority_.store, *authority_.peppers, authority_.clock,
                  [this](const AuditRecord& row) { told_.push_back(row); }};
};

// ---- Rows

TEST_F(AuditLogTest, ARowKnowsWhoseThingItIs) {
  const TokenUid uid = TokenUid::Parse("0b6e2d43-7a1f-4c58-9d0e-5f2a8c417be3").value();
  Principal ada = AsUser("ada");
  ada.peer = "ipv4:10.0.0.7:4711";
  AuditRecord row = audit_.RowOf(ada, kRevoke, TokenName("bob", uid));
  EXPECT_EQ(row.principal, "user:ada");
  EXPECT_EQ(row.user_id, "ada");
  EXPECT_EQ(row.method, kRevoke);
  EXPECT_EQ(row.target, TokenName("bob", uid));
  EXPECT_EQ(row.target_user_id, "bob");
  EXPECT_EQ(row.target_token, uid);
  EXPECT_EQ(row.peer, "ipv4:10.0.0.7:4711");
  EXPECT_EQ(row.outcome, "OK");
  row = audit_.RowOf(ada, kRevoke, "users/bob");
  EXPECT_EQ(row.target, "users/bob");
  EXPECT_EQ(row.target_user_id, "bob");
  EXPECT_EQ(row.target_token, std::nullopt);
  row = audit_.RowOf(ada, kRevoke, "users/-");
  EXPECT_EQ(row.target, "users/-");
  EXPECT_EQ(row.target_user_id, "");
  EXPECT_EQ(audit_.RowOf(ada, kRevoke, kPolicyTarget).target, "policy");
}

// Somebody puts it into the wrong field, and a refusal is noted.
TEST_F(AuditLogTest, ASecretNeverBecomesATarget) {
  const IssuedToken token = authority_.Issue("ada");
  for (const std::string& target : {token.secret, absl::StrCat("users/", token.secret),
                                    absl::StrCat("users/ada/tokens/", token.secret), std::string("x\ny")}) {
    const AuditRecord row = audit_.RowOf(AsUser("ada"), kRevoke, target);
    EXPECT_EQ(row.target.find(token.secret), std::string::npos);
    EXPECT_EQ(row.target.find('\n'), std::string::npos);
    EXPECT_EQ(row.target_token, std::nullopt);
  }
  EXPECT_EQ(audit_.RowOf(AsUser("ada"), kRevoke, absl::StrCat("users/ada/tokens/", token.secret)).target_user_id,
            "ada");
}

TEST_F(AuditLogTest, ARowGetsTheTimeAndTheNumberOfItsChange) {
  AuditRecord row = audit_.RowOf(AsUser("ada"), kRevoke, "users/ada");
  Advance(absl::Seconds(1));
  uint64_t sequence = 0;
  ASSERT_EQ(authority_.store.Commit([&](TokenTransaction& transaction) -> absl::StatusOr<Decision> {
    sequence = transaction.Sequence();
    if (absl::Status status = audit_.Put(transaction, row); !status.ok()) return status;
    return Decision::kCommit;
  }),
            absl::OkStatus());
  EXPECT_EQ(row.time, Now());
  EXPECT_EQ(row.sequence, sequence);
  EXPECT_THAT(Kept(), ElementsAre(row));
  EXPECT_THAT(told_, IsEmpty());
  audit_.Committed(row);
  EXPECT_THAT(told_, ElementsAre(row));
}

// ---- Notes

TEST_F(AuditLogTest, NotesOfAMinuteAreOneRowWithACount) {
  for (int i = 0; i < 1000; ++i) audit_.Note(AsUser("ada"), kRevoke, "users/bob", "TOKEN_NOT_FOUND");
  const absl::Time first = Now();
  Advance(absl::Seconds(59));
  audit_.Note(AsUser("ada"), kRevoke, "users/bob", "TOKEN_NOT_FOUND");
  Flush();
  EXPECT_THAT(Kept(), IsEmpty()) << "the minute is not over";
  Advance(absl::Seconds(1));
  audit_.Note(AsUser("ada"), kRevoke, "users/bob", "TOKEN_NOT_FOUND");
  Flush();
  ASSERT_EQ(Kept().size(), 1);
  const AuditRecord row = Kept().front();
  EXPECT_EQ(row.count, 1001);
  EXPECT_EQ(row.time, first);
  EXPECT_EQ(row.outcome, "TOKEN_NOT_FOUND");
  EXPECT_EQ(row.target, "users/bob");
  EXPECT_EQ(row.detail, "");
  EXPECT_THAT(told_, ElementsAre(row));
  Advance(absl::Minutes(1));
  Flush();
  EXPECT_EQ(Kept().size(), 2);
}

TEST_F(AuditLogTest, WhatDiffersInCallerMethodOrOutcomeIsApart) {
  audit_.Note(AsUser("ada"), kRevoke, "users/bob", "TOKEN_NOT_FOUND");
  audit_.Note(AsUser("bob"), kRevoke, "users/bob", "TOKEN_NOT_FOUND");
  audit_.Note(AsUser("ada"), kCreate, "users/bob", "TOKEN_NOT_FOUND");
  audit_.Note(AsUser("ada"), kRevoke, "users/bob", "ROLE_REQUIRED");
  audit_.Note(AsUser("ada"), kRevoke, "users/ada", "ROLE_REQUIRED");
  Flush(/*all=*/true);
  EXPECT_EQ(Kept().size(), 4);
  for (const AuditRecord& row : Kept()) {
    const bool together = row.principal == "user:ada" && row.outcome == "ROLE_REQUIRED";
    EXPECT_EQ(row.count, together ? 2 : 1);
    EXPECT_EQ(row.detail, together ? "and other targets" : "");
  }
}

TEST_F(AuditLogTest, NobodyIsOnlyCounted) {
  for (int i = 0; i < 3; ++i) audit_.Note({}, kRevoke, "users/bob", "CREDENTIALS_MISSING");
  Flush(/*all=*/true);
  EXPECT_EQ(audit_.refused_nobody(), 3);
  EXPECT_EQ(audit_.dropped(), 0);
  EXPECT_THAT(Kept(), IsEmpty());
}

TEST_F(AuditLogTest, AtMostTenRowsASecondOldestFirst) {
  for (int i = 0; i < 35; ++i) {
    audit_.Note(AsUser(absl::StrCat("user", 99 - i)), kRevoke, "users/bob", "ROLE_REQUIRED");
    Advance(absl::Milliseconds(1));
  }
  Advance(absl::Minutes(1));
  for (int second = 1; second <= 4; ++second) {
    Flush();
    EXPECT_EQ(Kept().size(), std::min(10 * second, 35));
    // Within a second there are no more.
    Advance(absl::Seconds(1) - absl::Nanoseconds(1));
    Flush();
    EXPECT_EQ(Kept().size(), std::min(10 * second, 35));
    Advance(absl::Nanoseconds(1));
  }
  ASSERT_EQ(told_.size(), 35);
  for (int i = 0; i < 35; ++i) EXPECT_EQ(told_[static_cast<size_t>(i)].principal, absl::StrCat("user:user", 99 - i));
}

// A flood of callers takes bounded memory; what was dropped is counted, and one that has a place goes on counting.
TEST_F(AuditLogTest, AFloodIsDroppedAndCounted) {
  constexpr int kCallers = 5000;
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < kCallers; ++i)
      audit_.Note(AsUser(absl::StrCat("user", i)), kRevoke, "users/bob", "ROLE_REQUIRED");
  }
  EXPECT_GT(audit_.dropped(), 0);
  Flush(/*all=*/true);
  uint64_t count = 0;
  for (const AuditRecord& row : Kept()) count += row.count;
  EXPECT_EQ(count + audit_.dropped(), 2 * kCallers);
  EXPECT_LE(Kept().size(), 1200);
  EXPECT_GE(Kept().size(), 600) << "what can be written in a minute is kept";
}

TEST_F(AuditLogTest, AllAtTheEndMeansTheMinuteThatIsNotOverToo) {
  for (int i = 0; i < 25; ++i) audit_.Note(AsUser(absl::StrCat("user", i)), kRevoke, "users/bob", "ROLE_REQUIRED");
  Flush(/*all=*/true);
  EXPECT_EQ(Kept().size(), 25);
  Flush(/*all=*/true);
  EXPECT_EQ(Kept().size(), 25);
}

TEST_F(AuditLogTest, WhatCannotBeWrittenIsWrittenTheNextTime) {
  for (int i = 0; i < 5; ++i) audit_.Note(AsUser(absl::StrCat("user", i)), kRevoke, "users/bob", "ROLE_REQUIRED");
  authority_.store.FailCommitsWith(absl::UnavailableError("broken"));
  EXPECT_EQ(audit_.Flush(/*all=*/true).code(), absl::StatusCode::kUnavailable);
  authority_.store.FailCommitsWith(absl::OkStatus());
  audit_.Note(AsUser("user0"), kRevoke, "users/bob", "ROLE_REQUIRED");
  Flush(/*all=*/true);
  ASSERT_EQ(Kept().size(), 5);
  uint64_t count = 0;
  for (const AuditRecord& row : Kept()) count += row.count;
  EXPECT_EQ(count, 6);
  EXPECT_EQ(told_.size(), 5);
}

// ---- Lists

class AuditListTest : public AuditLogTest {
 protected:
  AuditListTest() {
    for (const absl::string_view id : {"root", "other"}) {
      authority_.AddUser(id);
      authority_.ChangeUser(id, [](UserRecord& user) { user.administrator = true; });
    }
    for (int i = 0; i < 30; ++i) {
      tokens_.push_back(authority_.Issue(i % 3 == 0 ? "bob" : "ada"));
      Advance(absl::Seconds(1));
    }
  }

  absl::StatusOr<AuditViewPage> List(const ListAuditQuery& query) { return audit_.List(root_, query); }

  // All pages; the targets.
  std::vector<std::string> All(ListAuditQuery query) {
    std::vector<std::string> targets;
    do {
      const absl::StatusOr<AuditViewPage> page = List(query);
      EXPECT_TRUE(page.ok()) << page.status();
      if (!page.ok()) return targets;
      for (const AuditRecord& row : page->rows) targets.push_back(row.target);
      query.page_token = page->next_page_token;
    } while (!query.page_token.empty());
    return targets;
  }
  std::vector<std::string> Names() {
    std::vector<std::string> names;
    for (const IssuedToken& token : tokens_) names.push_back(token.name);
    return names;
  }

  const Principal root_ = AsAdministrator("root");
  std::vector<IssuedToken> tokens_;
};

TEST_F(AuditListTest, InPagesOldestOrNewestFirst) {
  std::vector<std::string> names = Names();
  EXPECT_EQ(All({.page_size = 7}), names);
  EXPECT_EQ(All({}), names);
  std::reverse(names.begin(), names.end());
  EXPECT_EQ(All({.newest_first = true, .page_size = 7}), names);
}

TEST_F(AuditListTest, ByUserTokenAndTime) {
  EXPECT_EQ(All({.user = "users/bob", .page_size = 3}).size(), 10);
  EXPECT_EQ(All({.user = "users/nobody"}).size(), 0);
  EXPECT_THAT(All({.token = tokens_[4].name}), ElementsAre(tokens_[4].name));
  EXPECT_THAT(All({.token = "users/ada/tokens/no-uid"}), IsEmpty());
  // The name of a token says whose it is, too.
  EXPECT_THAT(All({.token = TokenName("bob", tokens_[4].uid)}), IsEmpty());
  const int64_t start = absl::ToUnixSeconds(Now()) - 30;
  EXPECT_THAT(
      All({.start_time = RequestedInstant{.seconds = start + 3}, .end_time = RequestedInstant{.seconds = start + 5}}),
      ElementsAre(tokens_[3].name, tokens_[4].name));
  EXPECT_THAT(All({.user = "users/ada",
                   .start_time = RequestedInstant{.seconds = start + 3},
                   .end_time = RequestedInstant{.seconds = start + 4, .nanos = 1}}),
              ElementsAre(tokens_[4].name));
}

TEST_F(AuditListTest, ForAdministratorsOnly) {
  for (const Principal& other :
       {Principal(), AsUser("ada"), Principal{.kind = PrincipalKind::kPortal, .user_id = "root", .administrator = true},
        Principal{.kind = PrincipalKind::kToken, .user_id = "root", .administrator = true},
        Principal{.kind = PrincipalKind::kIntrospector}}) {
    ExpectRefusal(audit_.List(other, {.user = "nonsense"}).status(), absl::StatusCode::kPermissionDenied,
                  "ROLE_REQUIRED");
  }
}

// Between the look at the caller and the look into the log.
TEST_F(AuditListTest, WhoIsNoAdministratorAnyMoreSeesNothing) {
  const auto refused = [this](absl::StatusCode code, absl::string_view reason) {
    for (const ListAuditQuery& query : {ListAuditQuery{}, ListAuditQuery{.user = "users/nobody"},
                                        ListAuditQuery{.token = "users/ada/tokens/no-uid"}}) {
      ExpectRefusal(List(query).status(), code, reason);
    }
  };
  authority_.ChangeUser("root", [](UserRecord& user) { user.administrator = false; });
  refused(absl::StatusCode::kPermissionDenied, "ROLE_REQUIRED");
  authority_.ChangeUser("root", [](UserRecord& user) {
    user.administrator = true;
    user.disabled = true;
  });
  refused(absl::StatusCode::kUnauthenticated, "CREDENTIALS_INVALID");
  authority_.DeleteUser("root");
  refused(absl::StatusCode::kUnauthenticated, "CREDENTIALS_INVALID");
  authority_.AddUser("root");
  authority_.ChangeUser("root", [](UserRecord& user) { user.administrator = true; });
  refused(absl::StatusCode::kUnauthenticated, "CREDENTIALS_INVALID");
}

TEST_F(AuditListTest, AllThatIsWrongIsSaidAtOnce) {
  EXPECT_THAT(ExpectInvalid(List({.user = "users/-",
                                  .token = "users/ada",
                                  .start_time = RequestedInstant{.nanos = -1},
                                  .end_time = RequestedInstant{.seconds = 253'402'300'800},
                                  .page_size = -1,
                                  .page_token = "x"})
                                .status()),
              ElementsAre("token", "user", "start_time", "end_time", "page_size", "page_token"));
  const RequestedInstant now{.seconds = absl::ToUnixSeconds(Now())};
  EXPECT_THAT(ExpectInvalid(List({.start_time = now, .end_time = now}).status()), ElementsAre("end_time"));
}

TEST_F(AuditListTest, APageTokenIsBoundToCallerAndConditions) {
  const ListAuditQuery query{.user = "users/ada", .page_size = 2};
  const std::string token = List(query)->next_page_token;
  ASSERT_FALSE(token.empty());
  const auto refused = [&](ListAuditQuery other) {
    other.page_token = token;
    EXPECT_THAT(ExpectInvalid(List(other).status()), ElementsAre("page_token"));
  };
  refused({.user = "users/bob"});
  refused({});
  refused({.user = "users/ada", .newest_first = true});
  refused({.user = "users/ada", .token = tokens_[4].name});
  refused({.user = "users/ada", .start_time = RequestedInstant{.seconds = 1}});
  refused({.user = "users/ada", .end_time = RequestedInstant{.seconds = 2'000'000'000}});
  ListAuditQuery same = query;
  same.page_token = token;
  EXPECT_THAT(ExpectInvalid(audit_.List(AsAdministrator("other"), same).status()), ElementsAre("page_token"));
  same.page_size = 5;  // Another size is no other list.
  EXPECT_TRUE(List(same).ok());
}

}  // namespace
}  // namespace pat

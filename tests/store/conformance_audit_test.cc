// What every engine must do with the audit log.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "tests/store/engines.h"
#include "tests/store/records_for_tests.h"

namespace pat {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class ConformanceAudit : public testing::TestWithParam<Engine> {
 protected:
  TokenStore& store() { return engine_->store(); }
  void TearDown() override { EXPECT_EQ(engine_->Verify(), absl::OkStatus()); }

  // One mutation with this row, whose sequence is filled in. The detail tells rows apart.
  AuditRecord Add(AuditRecord row) {
    row.detail = absl::StrCat(++added_);
    EXPECT_EQ(store().Commit([&](TokenTransaction& transaction) -> absl::StatusOr<Decision> {
      row.sequence = transaction.Sequence();
      if (absl::Status put = transaction.PutAudit(row); !put.ok()) return put;
      return Decision::kCommit;
    }),
              absl::OkStatus());
    return row;
  }

  // The details of what a query gives, through pages of so many.
  std::string List(AuditQuery query, size_t page_size = 2) {
    std::string details;
    query.limit = page_size;
    while (true) {
      const absl::StatusOr<AuditPage> page = store().ListAudit(query);
      if (!page.ok()) return page.status().ToString();
      for (const AuditRecord& row : page->rows) absl::StrAppend(&details, row.detail);
      EXPECT_LE(page->rows.size(), page_size);
      if (!page->more) return details;
      if (page->rows.size() < page_size) return "a short page says that there is more";
      query.after = {.time = page->rows.back().time, .sequence = page->rows.back().sequence};
    }
  }
  size_t DeleteBefore(absl::Time cutoff, size_t limit) {
    size_t deleted = 0;
    EXPECT_EQ(store().Commit([&](TokenTransaction& transaction) -> absl::StatusOr<Decision> {
      deleted = transaction.DeleteAuditBefore(cutoff, limit).value();
      return Decision::kCommit;
    }),
              absl::OkStatus());
    return deleted;
  }
  void NowAndAfterReopen(const std::function<void()>& check) {
    check();
    if (!engine_->keeps_data()) return;
    ASSERT_EQ(engine_->Reopen(), absl::OkStatus());
    check();
  }

  const std::unique_ptr<EngineUnderTest> engine_ = GetParam().make();
  int added_ = 0;
};

INSTANTIATE_TEST_SUITE_P(Every, ConformanceAudit, testing::ValuesIn(AllEngines()),
                         [](const auto& info) { return info.param.name; });

TEST_P(ConformanceAudit, RowsComeBackAsTheyWere) {
  EXPECT_THAT(store().ListAudit({})->rows, IsEmpty());
  const AuditRecord full = Add({.time = At(1) + absl::Nanoseconds(7),
                                .principal = "portal:spiffe://example.org/web as ada",
                                .user_id = "ada",
                                .method = "pat.v1.TokenService/RevokeToken",
                                .target = "users/bob/tokens/x",
                                .target_user_id = "bob",
                                .target_token = TokenUidNumber(3),
                                .peer = "ipv4:10.0.0.7:4711",
                                .outcome = "OK",
                                .count = 5});
  const AuditRecord bare = Add({.time = At(2)});
  NowAndAfterReopen([&] { EXPECT_THAT(store().ListAudit({})->rows, ElementsAre(full, bare)); });
}

TEST_P(ConformanceAudit, ListedByTimeAndThenInOrderOfTheMutations) {
  for (const int at : {30, 10, 20, 20, -5}) Add({.time = At(at)});
  NowAndAfterReopen([&] {
    for (const size_t page_size : {1, 2, 5, 100}) {
      EXPECT_EQ(List({}, page_size), "52341");
      EXPECT_EQ(List({.newest_first = true}, page_size), "14325");
      EXPECT_EQ(List({.start = At(10), .end = At(20)}, page_size), "2");
      EXPECT_EQ(List({.start = At(10), .end = At(20) + absl::Nanoseconds(1)}, page_size), "234");
      EXPECT_EQ(List({.start = At(10) + absl::Nanoseconds(1)}, page_size), "341");
      EXPECT_EQ(List({.start = At(10), .newest_first = true}, page_size), "1432");
      EXPECT_EQ(List({.end = At(20), .newest_first = true}, page_size), "25");
      EXPECT_EQ(List({.start = At(20), .end = At(20)}, page_size), "");
      EXPECT_EQ(List({.start = At(30), .end = At(20)}, page_size), "");
    }
    EXPECT_THAT(store().ListAudit({.limit = 0})->rows, IsEmpty());
    EXPECT_TRUE(store().ListAudit({.limit = 0})->more);
    EXPECT_THAT(store().ListAudit({.limit = 5})->rows, SizeIs(5));
    EXPECT_FALSE(store().ListAudit({.limit = 5})->more);
  });
}

TEST_P(ConformanceAudit, ByUserBothWhoActedAndWhoseItWas) {
  Add({.time = At(1), .user_id = "ada", .target_user_id = "ada"});
  Add({.time = At(2), .user_id = "root", .target_user_id = "ada"});
  Add({.time = At(3), .user_id = "ada", .target_user_id = "bob"});
  Add({.time = At(4), .user_id = "ada2"});
  Add({.time = At(5), .user_id = "ad"});
  Add({.time = At(6)});
  Add({.time = At(7), .target_user_id = "ada"});
  NowAndAfterReopen([&] {
    for (const size_t page_size : {1, 2, 3, 100}) {
      EXPECT_EQ(List({.user_id = "ada"}, page_size), "1237") << "each once";
      EXPECT_EQ(List({.user_id = "ada", .newest_first = true}, page_size), "7321");
      EXPECT_EQ(List({.user_id = "ada", .start = At(2), .end = At(7)}, page_size), "23");
      EXPECT_EQ(List({.user_id = "bob"}, page_size), "3");
      EXPECT_EQ(List({.user_id = "ad"}, page_size), "5");
      EXPECT_EQ(List({.user_id = "nobody"}, page_size), "");
      EXPECT_EQ(List({.user_id = ""}, page_size), "");
    }
  });
}

TEST_P(ConformanceAudit, ByTokenAndByBoth) {
  Add({.time = At(1), .user_id = "ada", .target_token = TokenUidNumber(1)});
  Add({.time = At(2), .user_id = "root", .target_user_id = "ada", .target_token = TokenUidNumber(2)});
  Add({.time = At(3), .user_id = "root", .target_token = TokenUidNumber(1)});
  Add({.time = At(4), .user_id = "ada", .target_token = TokenUidNumber(1)});
  Add({.time = At(5), .user_id = "ada"});
  NowAndAfterReopen([&] {
    for (const size_t page_size : {1, 2, 100}) {
      EXPECT_EQ(List({.token = TokenUidNumber(1)}, page_size), "134");
      EXPECT_EQ(List({.token = TokenUidNumber(1), .newest_first = true}, page_size), "431");
      EXPECT_EQ(List({.user_id = "ada", .token = TokenUidNumber(1)}, page_size), "14");
      EXPECT_EQ(List({.user_id = "ada", .token = TokenUidNumber(1), .newest_first = true}, page_size), "41");
      EXPECT_EQ(List({.user_id = "ada", .token = TokenUidNumber(1), .start = At(2)}, page_size), "4");
      EXPECT_EQ(List({.token = TokenUidNumber(9)}, page_size), "");
    }
  });
}

TEST_P(ConformanceAudit, ARowIsThatOfItsMutation) {
  ASSERT_EQ(store().Commit([&](TokenTransaction& transaction) -> absl::StatusOr<Decision> {
    AuditRecord row{.time = At(1), .sequence = transaction.Sequence() + 1};
    EXPECT_EQ(transaction.PutAudit(row).code(), absl::StatusCode::kInvalidArgument);
    row.sequence = transaction.Sequence();
    row.count = 0;
    EXPECT_EQ(transaction.PutAudit(row).code(), absl::StatusCode::kInvalidArgument);
    row.count = 1;
    EXPECT_EQ(transaction.PutAudit(row), absl::OkStatus());
    row.user_id = "ada";
    EXPECT_EQ(transaction.PutAudit(row).code(), absl::StatusCode::kAlreadyExists);
    return Decision::kCommit;
  }),
            absl::OkStatus());
  EXPECT_THAT(store().ListAudit({})->rows, SizeIs(1));
  EXPECT_EQ(List({.user_id = "ada"}), "");
}

TEST_P(ConformanceAudit, TheOldestRowsAreDeletedWithAllTheirPlaces) {
  for (const int at : {40, 10, 20, 30, 50}) {
    Add({.time = At(at), .user_id = "ada", .target_user_id = "bob", .target_token = TokenUidNumber(1)});
  }
  EXPECT_EQ(DeleteBefore(At(10), 100), 0u);
  EXPECT_EQ(DeleteBefore(At(1000), 0), 0u);
  EXPECT_EQ(DeleteBefore(At(40), 2), 2u);
  for (const AuditQuery& query : {AuditQuery{}, AuditQuery{.user_id = "ada"}, AuditQuery{.user_id = "bob"},
                                  AuditQuery{.token = TokenUidNumber(1)}}) {
    EXPECT_EQ(List(query), "415");
  }
  EXPECT_EQ(DeleteBefore(At(40), 100), 1u);
  EXPECT_EQ(List({}), "15");
  EXPECT_EQ(DeleteBefore(absl::InfiniteFuture(), 100), 2u);
  EXPECT_EQ(List({}), "");
}

}  // namespace
}  // namespace pat

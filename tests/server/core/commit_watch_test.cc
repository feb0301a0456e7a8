#include "server/core/commit_watch.h"

#include <memory>

#include "absl/synchronization/notification.h"
#include "gtest/gtest.h"
#include "store/memory/memory_token_store.h"
#include "tests/store/records_for_tests.h"

namespace pat {
namespace {

class CommitWatchTest : public testing::Test {
 protected:
  void Commit() { ASSERT_EQ(Put(*store_, UserNumber(1)), absl::OkStatus()); }
  const std::unique_ptr<TokenStore> store_ = NewMemoryTokenStore();
};

TEST_F(CommitWatchTest, TellsAllOfThem) {
  CommitWatch watch(*store_);
  absl::Notification first;
  absl::Notification second;
  const auto notify = [](absl::Notification& told) {
    return [&told] {
      if (!told.HasBeenNotified()) told.Notify();
    };
  };
  watch.Add(notify(first));
  watch.Add(notify(second));
  Commit();
  first.WaitForNotification();
  second.WaitForNotification();
}

TEST_F(CommitWatchTest, NotAfterRemove) {
  CommitWatch watch(*store_);
  bool gone = false;
  const int id = watch.Add([&gone] { EXPECT_FALSE(gone); });
  Commit();
  watch.Remove(id);
  gone = true;
  absl::Notification told;
  watch.Add([&told] {
    if (!told.HasBeenNotified()) told.Notify();
  });
  Commit();
  told.WaitForNotification();
}

TEST_F(CommitWatchTest, EndsWhileNothingHappens) { const CommitWatch watch(*store_); }

}  // namespace
}  // namespace pat

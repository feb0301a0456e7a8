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

// Also of what is committed before the thread has so much as begun.
TEST_F(CommitWatchTest, FromTheBeginning) {
  for (int i = 0; i < 200; ++i) {
    const std::unique_ptr<TokenStore> store = NewMemoryTokenStore();
    CommitWatch watch(*store);
    absl::Notification told;
    watch.Add([&told] {
      if (!told.HasBeenNotified()) told.Notify();
    });
    ASSERT_EQ(Put(*store, UserNumber(1)), absl::OkStatus());
    told.WaitForNotification();
  }
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

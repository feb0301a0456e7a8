#include "server/cache/read_section.h"

#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "absl/synchronization/notification.h"
#include "gtest/gtest.h"

namespace pat {
namespace {

bool MayBeFreed(uint64_t stamp) { return stamp < OldestReader(); }

// Opens a section on a thread of its own, and closes it on demand.
class OtherReader {
 public:
  OtherReader()
      : thread_([this] {
          const ReadSection section;
          open_.Notify();
          close_.WaitForNotification();
        }) {
    open_.WaitForNotification();
  }
  ~OtherReader() { Close(); }

  void Close() {
    if (!thread_.joinable()) return;
    close_.Notify();
    thread_.join();
  }

 private:
  absl::Notification open_;
  absl::Notification close_;
  std::thread thread_;
};

TEST(ReadSectionTest, WithoutReadersEverythingRetiredMayBeFreed) {
  const uint64_t stamp = RetireStamp();
  EXPECT_TRUE(MayBeFreed(stamp));
}

TEST(ReadSectionTest, StampsGrow) {
  const uint64_t first = RetireStamp();
  EXPECT_GT(RetireStamp(), first);
}

TEST(ReadSectionTest, WhatIsRetiredInASectionIsKeptUntilItEnds) {
  uint64_t stamp = 0;
  {
    const ReadSection section;
    stamp = RetireStamp();
    EXPECT_FALSE(MayBeFreed(stamp));
  }
  EXPECT_TRUE(MayBeFreed(stamp));
}

TEST(ReadSectionTest, WhatWasRetiredBeforeASectionMayBeFreedInIt) {
  const uint64_t stamp = RetireStamp();
  const ReadSection section;
  EXPECT_TRUE(MayBeFreed(stamp));
}

TEST(ReadSectionTest, TheEndOfANestedSectionEndsNothing) {
  const ReadSection outer;
  const uint64_t stamp = RetireStamp();
  {
    const ReadSection inner;
    EXPECT_FALSE(MayBeFreed(stamp));
  }
  EXPECT_FALSE(MayBeFreed(stamp));
}

TEST(ReadSectionTest, ASectionOfAnotherThreadCounts) {
  OtherReader reader;
  const uint64_t stamp = RetireStamp();
  EXPECT_FALSE(MayBeFreed(stamp));
  reader.Close();
  EXPECT_TRUE(MayBeFreed(stamp));
}

TEST(ReadSectionTest, TheOldestOfSeveralReadersDecides) {
  OtherReader first;
  const uint64_t between = RetireStamp();
  OtherReader second;
  const uint64_t after = RetireStamp();
  second.Close();
  EXPECT_FALSE(MayBeFreed(between));
  EXPECT_FALSE(MayBeFreed(after));
  first.Close();
  EXPECT_TRUE(MayBeFreed(between));
  EXPECT_TRUE(MayBeFreed(after));
}

TEST(ReadSectionTest, AThreadThatEndedHoldsNothingBackAndItsSuccessorsAreSeen) {
  for (int i = 0; i < 100; ++i) {
    OtherReader reader;
    const uint64_t stamp = RetireStamp();
    ASSERT_FALSE(MayBeFreed(stamp));
    reader.Close();
    ASSERT_TRUE(MayBeFreed(stamp));
  }
}

// What the sections are for: a writer replaces what readers look at, and frees each version as soon as it may. A
// version that was freed too early has lost its mark (and AddressSanitizer and ThreadSanitizer have more to say).
TEST(ReadSectionTest, NobodySeesWhatWasFreed) {
  constexpr uint64_t kAlive = 0x600DF00D;
  struct Version {
    ~Version() { mark = 0; }
    uint64_t mark = kAlive;
    uint64_t number = 0;
  };
  constexpr uint64_t kVersions = 20'000;

  std::atomic<Version*> current{new Version()};
  std::atomic<bool> stop{false};
  std::atomic<uint64_t> wrong{0};
  std::vector<std::thread> readers;
  readers.reserve(3);
  for (int i = 0; i < 3; ++i) {
    readers.emplace_back([&] {
      uint64_t newest = 0;
      while (!stop.load(std::memory_order_relaxed)) {
        const ReadSection section;
        const Version* const seen = current.load(std::memory_order_seq_cst);
        const uint64_t number = seen->number;
        if (number < newest) wrong.fetch_add(1);
        newest = number;
        std::this_thread::yield();  // Give the writer the time to go wrong.
        if (seen->mark != kAlive || seen->number != number) wrong.fetch_add(1);
      }
    });
  }
  std::vector<std::pair<uint64_t, std::unique_ptr<Version>>> retired;
  for (uint64_t number = 1; number <= kVersions; ++number) {
    auto next = std::make_unique<Version>();
    next->number = number;
    std::unique_ptr<Version> old(current.exchange(next.release(), std::memory_order_seq_cst));
    retired.emplace_back(RetireStamp(), std::move(old));
    const uint64_t oldest = OldestReader();
    std::erase_if(retired, [oldest](const auto& item) { return item.first < oldest; });
  }
  stop = true;
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(wrong, 0);

  const uint64_t oldest = OldestReader();
  std::erase_if(retired, [oldest](const auto& item) { return item.first < oldest; });
  EXPECT_TRUE(retired.empty());
  delete current.load();
}

}  // namespace
}  // namespace pat

#include "server/authn/turnstile.h"

#include <atomic>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace pat {
namespace {

TEST(TurnstileTest, TwoAreInsideSixteenWaitTheOthersAreSentAway) {
  Turnstile turnstile(2, 16);
  ASSERT_TRUE(turnstile.Enter());
  ASSERT_TRUE(turnstile.Enter());
  std::atomic<int> entered = 0;
  std::vector<std::thread> waiting;
  for (int i = 0; i < 16; ++i) {
    waiting.emplace_back([&] {
      if (turnstile.Enter()) ++entered;
      turnstile.Leave();
    });
  }
  while (turnstile.waiting() < 16) std::this_thread::yield();
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(turnstile.Enter());
  EXPECT_EQ(entered, 0);

  turnstile.Leave();
  for (std::thread& thread : waiting) thread.join();
  EXPECT_EQ(entered, 16);
  EXPECT_EQ(turnstile.waiting(), 0u);
  EXPECT_TRUE(turnstile.Enter());  // The second place; the first one is still held.
}

TEST(TurnstileTest, WithoutPlacesToWaitInEverybodyElseIsSentAway) {
  Turnstile turnstile(1, 0);
  EXPECT_TRUE(turnstile.Enter());
  EXPECT_FALSE(turnstile.Enter());
  turnstile.Leave();
  EXPECT_TRUE(turnstile.Enter());
}

}  // namespace
}  // namespace pat

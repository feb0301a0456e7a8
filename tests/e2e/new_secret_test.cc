// A secret that was asked for before it was made, and is remembered as unknown, is active at once where it is made.
//
// Nobody can know a secret before, so this test has randomness of its own, in place of the one of pat::crypto: the
// linker takes a function from a library only if the program has none.

#include <gtest/gtest.h>
#include <sys/random.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/types/span.h"
#include "server/core/token_secret.h"
#include "server/crypto/random.h"
#include "tests/e2e/dev_server.h"

namespace pat {
namespace {

using SecretBits = std::array<uint8_t, 32>;

absl::Mutex mutex;
std::optional<SecretBits> next_secret ABSL_GUARDED_BY(mutex);

// Makes the server mint this secret next; the secret.
std::string Plan(uint8_t byte) {
  SecretBits bits;
  bits.fill(byte);
  const Secret secret = EncodeSecret(bits);
  std::string text(secret.Reveal());
  const absl::MutexLock lock(&mutex);
  next_secret = bits;
  return text;
}

}  // namespace

void FillRandom(absl::Span<uint8_t> bytes) {
  {
    const absl::MutexLock lock(&mutex);
    if (next_secret.has_value() && bytes.size() == next_secret->size()) {
      std::copy(next_secret->begin(), next_secret->end(), bytes.begin());
      next_secret.reset();
      return;
    }
  }
  if (getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) abort();
}

namespace {

// Asks twice: the second answer is what the cache remembers.
void ExpectRememberedAsUnknown(Client& client, const std::string& secret) {
  EXPECT_FALSE(client.Introspect(secret).active());
  const v1::IntrospectResponse again = client.Introspect(secret);
  EXPECT_FALSE(again.active());
  EXPECT_EQ(again.freshness().source(), v1::Freshness::SOURCE_CACHE);
}

TEST(NewSecretTest, IsActiveAtOnceAlsoIfItIsRememberedAsUnknown) {
  DevServer server;
  Client& client = server.client();
  const std::string first = Plan(1);
  ExpectRememberedAsUnknown(client, first);
  const MadeToken made = client.Create("ada", "expected");
  ASSERT_EQ(made.secret, first);
  EXPECT_TRUE(client.Introspect(first).active());

  const std::string second = Plan(2);
  ExpectRememberedAsUnknown(client, second);
  ASSERT_EQ(client.Regenerate(made.token).secret(), second);
  EXPECT_TRUE(client.Introspect(second).active());
}

}  // namespace
}  // namespace pat

// What passes between a sidecar and its authority, as somebody sees it who listens.

#include <gtest/gtest.h>
#include <signal.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "server/core/token_secret.h"
#include "tests/e2e/cutting_proxy.h"
#include "tests/e2e/sidecar_processes.h"

namespace pat {
namespace {

uint16_t PortOf(const std::string& address) {
  const std::vector<std::string> parts = absl::StrSplit(address, ':');
  return static_cast<uint16_t>(std::stoi(parts.back()));
}

std::string BytesOf(const TokenDigest& digest) { return {digest.bytes.begin(), digest.bytes.end()}; }

size_t Count(const std::string& text, const std::string& part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

// A secret in any encoding that the path could give it: as it is, in hexadecimal, or in base64 at each of its offsets.
TEST(SidecarTrafficTest, NoSecretGoesToTheAuthority) {
  Patd authority({"--cache-ttl", "1h"});
  CuttingProxy proxy(PortOf(authority.address()), /*record=*/true);
  const TestDirectory directory;
  std::vector<std::string> secrets;
  {
    Patd sidecar(PatdCommand("sidecar", {"--listen", "unix:" + directory / "s.sock", "--authority",
                                         proxy.target() + "?plaintext", "--propagation", "push"}));
    for (int i = 0; i < 1000; ++i) {
      const MadeToken made = authority.client().Create("ada", absl::StrCat("used ", i));
      ASSERT_TRUE(sidecar.client().Introspect(made.secret).active());
      secrets.push_back(made.secret);
      if (i % 2 == 0) sidecar.client().IntrospectNow(made.secret);
      authority.client().Revoke(made.token);  // A user has at most 50 live ones.
    }
    sidecar.process().Signal(SIGTERM);
    ASSERT_EQ(sidecar.process().Wait().exit_code, 0);
  }
  const std::string traffic = proxy.recorded();
  ASSERT_GT(traffic.size(), 1000 * 32U);
  for (const std::string& secret : secrets) {
    // What follows "pat_" is enough; and this test sees what is there.
    EXPECT_EQ(traffic.find(secret.substr(4)), std::string::npos);
    EXPECT_NE(traffic.find(BytesOf(DigestOf(secret))), std::string::npos);
    EXPECT_EQ(traffic.find(absl::BytesToHexString(secret.substr(4))), std::string::npos);
    for (size_t offset = 0; offset < 3; ++offset) {
      const std::string middle = absl::Base64Escape(secret.substr(4 + offset, 42));
      EXPECT_EQ(traffic.find(middle), std::string::npos);
    }
  }
}

// That the authority heeds them, so that last_use_time is true, is in watch_test.cc (LastUseTest).
TEST(SidecarTrafficTest, UsesAreReportedAtTheEnd) {
  Patd authority({"--cache-ttl", "1h"});
  CuttingProxy proxy(PortOf(authority.address()), /*record=*/true);
  const TestDirectory directory;
  Patd sidecar(PatdCommand("sidecar",
                           {"--listen", "unix:" + directory / "s.sock", "--authority", proxy.target() + "?plaintext"}));
  const MadeToken made = authority.client().Create("ada", "used");
  EXPECT_TRUE(sidecar.client().Introspect(made.secret).active());
  EXPECT_EQ(sidecar.client().Introspect(made.secret).freshness().source(), v1::Freshness::SOURCE_CACHE);
  // Its id was in the one answer of the authority, and the report has it once more.
  EXPECT_EQ(Count(proxy.recorded(), made.token.uid()), 1U);
  sidecar.process().Signal(SIGTERM);
  ASSERT_EQ(sidecar.process().Wait().exit_code, 0);
  EXPECT_EQ(Count(proxy.recorded(), made.token.uid()), 2U);
}

// However many callers wait for it, and however long it was away.
TEST(SidecarTrafficTest, AnAuthorityThatIsBackIsAskedOnceForEachToken) {
  constexpr int kTokens = 20;
  constexpr int kCallers = 10;  // For each token.
  const TestDirectory directory;
  const std::string data = directory / "data";
  auto authority = std::make_unique<Patd>(std::vector<std::string>{"--data-dir", data, "--listen", "127.0.0.1:0"});
  const std::string address = authority->address();
  CuttingProxy proxy(PortOf(address), /*record=*/true);
  std::vector<std::string> secrets;
  for (int i = 0; i < kTokens; ++i) {
    secrets.push_back(authority->client().Create("ada", absl::StrCat("waited for ", i)).secret);
  }
  authority->process().Kill();
  Patd sidecar(PatdCommand("sidecar",
                           {"--listen", "unix:" + directory / "s.sock", "--authority", proxy.target() + "?plaintext"}));
  EXPECT_FALSE(Ask(sidecar, secrets.front(), absl::Milliseconds(200)).status.ok());
  ASSERT_EQ(proxy.recorded(), "") << "nothing has reached an authority yet";

  std::vector<std::thread> callers;
  std::atomic<int> active = 0;
  for (int i = 0; i < kTokens * kCallers; ++i) {
    callers.emplace_back([&, i] {
      const std::string& secret = secrets[i % kTokens];
      if (Becomes([&] { return Ask(sidecar, secret).is_active(); })) ++active;
    });
  }
  authority = std::make_unique<Patd>(std::vector<std::string>{"--data-dir", data, "--listen", address});
  const absl::Time back = absl::Now();
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(active, kTokens * kCallers);
  EXPECT_LT(absl::Now() - back, absl::Seconds(2));
  const std::string traffic = proxy.recorded();
  for (const std::string& secret : secrets) EXPECT_EQ(Count(traffic, BytesOf(DigestOf(secret))), 1U);
}

}  // namespace
}  // namespace pat

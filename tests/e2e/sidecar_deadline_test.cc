// A sidecar whose authority is silent, or away: everybody is told in time, and the authority is not asked more than
// once for a token when it is back.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "server/core/token_secret.h"
#include "tests/e2e/cutting_proxy.h"
#include "tests/e2e/sidecar_processes.h"

namespace pat {
namespace {

using ::grpc::StatusCode;

// The authority takes calls and answers none. Each caller has a connection of its own, and another deadline; all of
// them wait for the question that the first one has begun.
TEST(SidecarDeadlineTest, WhoWaitsForAnothersQuestionIsToldWithinItsOwnDeadline) {
  SidecarProcesses processes;
  const auto sidecar = processes.StartSidecar("sidecar");
  const MadeToken known = processes.Portal().Create("ada", "known");
  const MadeToken unknown = processes.Portal().Create("ada", "unknown");
  ASSERT_TRUE(Ask(*sidecar, known.secret).is_active());  // The way is there.

  processes.authority.patd->process().Signal(SIGSTOP);
  const std::vector<absl::Duration> deadlines = {absl::Seconds(5), absl::Milliseconds(300), absl::Milliseconds(500),
                                                 absl::Milliseconds(200), absl::Milliseconds(800)};
  for (int round = 0; round < 3; ++round) {
    std::vector<Asked> asked(deadlines.size());
    std::vector<std::thread> callers;
    for (size_t i = 0; i < deadlines.size(); ++i) {
      callers.emplace_back([&, i] {
        const Client client(sidecar->address());
        asked[i] = Ask(client, unknown.secret, deadlines[i]);
      });
    }
    for (std::thread& caller : callers) caller.join();
    for (size_t i = 0; i < deadlines.size(); ++i) {
      EXPECT_THAT(asked[i].status, IsRefusal(StatusCode::UNAVAILABLE, "AUTHORITY_UNAVAILABLE")) << deadlines[i];
      EXPECT_TRUE(RefusalOf(asked[i].status).retry_delay.has_value());
      EXPECT_LT(asked[i].answered - asked[i].sent, deadlines[i]);
    }
  }
  EXPECT_TRUE(Ask(*sidecar, known.secret, absl::Milliseconds(300)).is_active());

  processes.authority.patd->process().Signal(SIGCONT);
  EXPECT_TRUE(Becomes([&] { return Ask(*sidecar, unknown.secret).is_active(); }));
}

// A batch is told when the first of its tokens is given up, which is in its own time too.
TEST(SidecarDeadlineTest, ABatchIsToldWithinItsDeadlineWhateverItsTokensWaitFor) {
  SidecarProcesses processes;
  const auto sidecar = processes.StartSidecar("sidecar");
  const MadeToken known = processes.Portal().Create("ada", "known");
  const MadeToken unknown = processes.Portal().Create("ada", "unknown");
  ASSERT_TRUE(Ask(*sidecar, known.secret).is_active());
  processes.authority.patd->process().Signal(SIGSTOP);
  std::thread patient([&] { Ask(*sidecar, unknown.secret); });

  const Client client(sidecar->address());
  v1::BatchIntrospectRequest request;
  for (const MadeToken* made : {&known, &unknown, &known}) *request.add_requests() = QuestionFor(made->secret);
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + absl::Milliseconds(400)));
  v1::BatchIntrospectResponse response;
  const grpc::Status status =
      v1::IntrospectionService::NewStub(client.channel())->BatchIntrospect(&context, request, &response);
  EXPECT_THAT(status, IsRefusal(StatusCode::UNAVAILABLE, "AUTHORITY_UNAVAILABLE"));
  patient.join();
  processes.authority.patd->process().Signal(SIGCONT);
}

size_t Count(const std::string& text, const std::string& part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

// Callers come all the time while it is away, for three seconds, each with a deadline of its own. The authority's port
// is free meanwhile, so nothing reaches it.
TEST(SidecarDeadlineTest, AfterAnOutageWithStaggeredCallersEachTokenIsReadOnce) {
  constexpr int kTokens = 20;
  const absl::Duration interval = absl::Milliseconds(25);
  const TestDirectory directory;
  const std::string data = directory / "data";
  auto authority = std::make_unique<Patd>(std::vector<std::string>{"--data-dir", data, "--listen", "127.0.0.1:0"});
  const std::string address = authority->address();
  const std::vector<std::string> parts = absl::StrSplit(address, ':');
  CuttingProxy proxy(static_cast<uint16_t>(std::stoi(parts.back())), /*record=*/true);
  std::vector<std::string> secrets;
  for (int i = 0; i < kTokens; ++i) {
    secrets.push_back(authority->client().Create("ada", absl::StrCat("waited for ", i)).secret);
  }
  authority->process().Kill();
  Patd sidecar(PatdCommand("sidecar",
                           {"--listen", "unix:" + directory / "s.sock", "--authority", proxy.target() + "?plaintext"}));

  std::vector<std::thread> callers;
  std::atomic<int> active = 0;
  std::atomic<int> late = 0;
  const absl::Time back_at = absl::Now() + absl::Seconds(3);
  for (int i = 0; absl::Now() < back_at; ++i) {
    callers.emplace_back([&, i] {
      const absl::Duration deadline = absl::Milliseconds(200 + i * 37 % 2000);
      if (Becomes([&] {
            const Asked asked = Ask(sidecar, secrets[i % kTokens], deadline);
            if (asked.status.error_code() == StatusCode::DEADLINE_EXCEEDED) ++late;
            return asked.is_active();
          })) {
        ++active;
      }
    });
    absl::SleepFor(interval);  // Sleeps: callers have to come at different phases of what is under way.
  }
  EXPECT_EQ(active, 0);
  EXPECT_EQ(proxy.recorded(), "") << "nothing has reached an authority yet";
  authority = std::make_unique<Patd>(std::vector<std::string>{"--data-dir", data, "--listen", address});
  const absl::Time back = absl::Now();
  for (std::thread& caller : callers) caller.join();
  EXPECT_LT(absl::Now() - back, absl::Seconds(2));
  EXPECT_EQ(active, static_cast<int>(callers.size()));
  EXPECT_EQ(late, 0);
  const std::string traffic = proxy.recorded();
  for (const std::string& secret : secrets) {
    const TokenDigest digest = DigestOf(secret);
    EXPECT_EQ(Count(traffic, {digest.bytes.begin(), digest.bytes.end()}), 1U);
  }
}

}  // namespace
}  // namespace pat

// The program itself, in processes of its own: what it keeps when it is killed, how it ends, who may run beside it, and
// what it never prints.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/synchronization/blocking_counter.h"
#include "absl/time/clock.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "grpc/reflection/v1/reflection.grpc.pb.h"
#include "tests/e2e/patd.h"
#include "tests/e2e/test_directory.h"

namespace pat {
namespace {

using ::grpc::StatusCode;
using ::grpc::health::v1::Health;
using ::grpc::health::v1::HealthCheckRequest;
using ::grpc::health::v1::HealthCheckResponse;
using ::testing::AnyOf;

std::string ReadFile(const std::string& path) {
  std::ostringstream content;
  content << std::ifstream(path, std::ios::binary).rdbuf();
  return content.str();
}

std::vector<std::string> Lines(const std::string& text) { return absl::StrSplit(text, '\n', absl::SkipEmpty()); }

TEST(KillTest, AcknowledgedRevocationsAndRegenerationsOutliveKillNine) {
  const TestDirectory directory;
  const std::vector<std::string> arguments = {"--data-dir", directory / "data", "--log-level", "error"};
  std::vector<std::string> dead;
  std::vector<std::string> alive;
  for (int round = 0; round < 10; ++round) {
    SCOPED_TRACE(round);
    Patd patd(arguments);
    for (const std::string& secret : dead) EXPECT_FALSE(patd.client().Introspect(secret).active());
    for (const std::string& secret : alive) EXPECT_TRUE(patd.client().Introspect(secret).active());

    const MadeToken kept = patd.client().Create("ada", absl::StrCat("kept ", round));
    const MadeToken ended = patd.client().Create("ada", absl::StrCat("ended ", round));
    EXPECT_TRUE(patd.client().Introspect(ended.secret).active());
    dead.push_back(ended.secret);
    alive.push_back(kept.secret);
    if (round % 2 == 0) {
      patd.client().Revoke(ended.token);
    } else {
      alive.push_back(patd.client().Regenerate(ended.token).secret());
    }
    patd.process().Signal(SIGKILL);
    EXPECT_EQ(patd.process().Wait().signal, SIGKILL);
  }
  Patd patd(arguments);
  for (const std::string& secret : dead) EXPECT_FALSE(patd.client().Introspect(secret).active());
  for (const std::string& secret : alive) EXPECT_TRUE(patd.client().Introspect(secret).active());
  for (const v1::Token& token : patd.client().List("ada", /*show_revoked=*/true)) {
    const bool revoked = absl::StartsWith(token.display_name(), "ended") && !token.has_regenerate_time();
    EXPECT_EQ(token.state(), revoked ? v1::Token::STATE_REVOKED : v1::Token::STATE_ACTIVE) << token.display_name();
  }
}

// What one client of many did before the server ended, as far as it was told.
struct Diary {
  std::vector<std::string> made;     // Acknowledged, and nothing was asked of them since.
  std::vector<std::string> revoked;  // Acknowledged.
  grpc::Status last;
};

// Creates and revokes until the server does not answer any more.
void WriteDiary(Client& client, int number, absl::BlockingCounter& started, Diary& diary) {
  for (int i = 0;; ++i) {
    const Answer<v1::CreateTokenResponse> made = client.Call(
        &TokenStub::CreateToken, PortalFor("ada"), CreationFor("ada", absl::StrCat("diary ", number, " page ", i)));
    diary.last = made.status;
    if (!made.status.ok()) return;
    if (i == 0) started.DecrementCount();
    if (i < 3) {
      diary.made.push_back(made.response.secret());
      continue;
    }
    v1::RevokeTokenRequest revoke;
    revoke.set_name(made.response.token().name());
    diary.last = client.Call(&TokenStub::RevokeToken, PortalFor("ada"), revoke).status;
    if (!diary.last.ok()) return;
    diary.revoked.push_back(made.response.secret());
  }
}

TEST(TerminationTest, EndsInTimeWithCallsInFlightAndLosesNothingThatWasAcknowledged) {
  constexpr int kClients = 8;
  const TestDirectory directory;
  const std::vector<std::string> arguments = {"--data-dir", directory / "data"};
  std::vector<Diary> diaries(kClients);
  {
    Patd patd(arguments);
    absl::BlockingCounter started(kClients);
    std::vector<std::thread> threads;
    for (int i = 0; i < kClients; ++i) {
      threads.emplace_back([&, i] {
        Client client(patd.address());
        WriteDiary(client, i, started, diaries[i]);
      });
    }
    started.Wait();

    const auto context = Client::ContextFor(Nobody());
    const auto watch = Health::NewStub(patd.client().channel())->Watch(context.get(), HealthCheckRequest());
    HealthCheckResponse health;
    ASSERT_TRUE(watch->Read(&health));
    EXPECT_EQ(health.status(), HealthCheckResponse::SERVING);
    patd.process().Signal(SIGTERM);
    EXPECT_TRUE(watch->Read(&health));
    EXPECT_EQ(health.status(), HealthCheckResponse::NOT_SERVING);
    EXPECT_EQ(patd.process().Wait(absl::Seconds(10)).exit_code, 0);
    for (std::thread& thread : threads) thread.join();
    EXPECT_FALSE(watch->Read(&health));
  }

  Patd patd(arguments);
  for (const Diary& diary : diaries) {
    EXPECT_THAT(diary.last.error_code(), AnyOf(StatusCode::UNAVAILABLE, StatusCode::CANCELLED))
        << diary.last.error_message();
    for (const std::string& secret : diary.made) EXPECT_TRUE(patd.client().Introspect(secret).active());
    for (const std::string& secret : diary.revoked) EXPECT_FALSE(patd.client().Introspect(secret).active());
  }
}

TEST(TerminationTest, TemporaryDataIsGoneAfterwards) {
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) {
    const TestDirectory directory;
    Patd patd(PatdDev({"--listen", "unix:" + directory / "socket"}, {"TMPDIR=" + directory.path()}));
    EXPECT_TRUE(patd.client().Introspect(patd.client().Create("ada", "temporary").secret).active());
    size_t directories = 0;
    for (const auto& entry : std::filesystem::directory_iterator(directory.path())) directories += entry.is_directory();
    EXPECT_EQ(directories, 1u);
    patd.process().Signal(signal);
    EXPECT_EQ(patd.process().Wait(absl::Seconds(10)).exit_code, 0);
    for (const auto& entry : std::filesystem::directory_iterator(directory.path())) ADD_FAILURE() << entry.path();
  }
}

// Under nohup the terminal may go.
TEST(TerminationTest, AHangUpThatIsIgnoredIsIgnored) {
  struct sigaction ignore {};
  struct sigaction before {};
  ignore.sa_handler = SIG_IGN;
  ASSERT_EQ(sigaction(SIGHUP, &ignore, &before), 0);
  Patd patd({"--log-level", "error"});
  ASSERT_EQ(sigaction(SIGHUP, &before, nullptr), 0);
  patd.process().Signal(SIGHUP);
  EXPECT_TRUE(patd.client().Introspect("anything").has_active());
  // Signals that are pending are taken lowest number first, and SIGHUP is 1: had it been taken, it would be told.
  patd.process().Signal(SIGTERM);
  EXPECT_EQ(patd.process().Wait(absl::Seconds(10)).exit_code, 0);
  EXPECT_FALSE(absl::StrContains(patd.process().standard_error(), "signal 1"));
}

// Of a daemon it is what people send who have replaced its certificates.
TEST(TerminationTest, AHangUpDoesNotEndASidecar) {
  const TestDirectory directory;
  Patd patd(
      PatdCommand("sidecar", {"--listen", "unix:" + directory / "socket", "--authority", "127.0.0.1:1?plaintext"}));
  patd.process().Signal(SIGHUP);
  EXPECT_TRUE(patd.client().Introspect("malformed").has_active());
  // Signals that are pending are taken lowest number first, and SIGHUP is 1.
  patd.process().Signal(SIGTERM);
  EXPECT_EQ(patd.process().Wait(absl::Seconds(10)).exit_code, 0);
  EXPECT_TRUE(absl::StrContains(patd.process().standard_error(), "SIGHUP: nothing to do"));
  EXPECT_TRUE(absl::StrContains(patd.process().standard_error(), "ending on signal 15"));
}

// A stream that nobody ends, as the clients of reflection and health have them.
template <typename Stream>
struct IdleStream {
  std::unique_ptr<grpc::ClientContext> context = Client::ContextFor(Nobody());
  std::unique_ptr<Stream> stream = nullptr;
};
using ReflectionStream = grpc::ClientReaderWriter<grpc::reflection::v1::ServerReflectionRequest,
                                                  grpc::reflection::v1::ServerReflectionResponse>;

TEST(TerminationTest, AllListenersStopAtOnceWhateverIsIdleOnThem) {
  constexpr size_t kListeners = 4;
  const TestDirectory directory;
  std::vector<std::string> arguments = {"--listen", "unix:" + directory / "socket"};
  while (arguments.size() < 2 * kListeners) arguments.insert(arguments.end(), {"--listen", "127.0.0.1:0"});
  Patd patd(arguments);

  std::vector<std::unique_ptr<Client>> clients;
  std::vector<IdleStream<ReflectionStream>> reflections(kListeners);
  std::vector<IdleStream<grpc::ClientReader<HealthCheckResponse>>> watches(kListeners);
  for (const std::string& address : patd.addresses()) {
    const size_t i = clients.size();
    Client& client = *clients.emplace_back(std::make_unique<Client>(address));
    reflections[i].stream = grpc::reflection::v1::ServerReflection::NewStub(client.channel())
                                ->ServerReflectionInfo(reflections[i].context.get());
    grpc::reflection::v1::ServerReflectionRequest list;
    list.set_list_services("");
    grpc::reflection::v1::ServerReflectionResponse listed;
    ASSERT_TRUE(reflections[i].stream->Write(list));
    ASSERT_TRUE(reflections[i].stream->Read(&listed));
    watches[i].stream = Health::NewStub(client.channel())->Watch(watches[i].context.get(), HealthCheckRequest());
    HealthCheckResponse health;
    ASSERT_TRUE(watches[i].stream->Read(&health));
    EXPECT_EQ(health.status(), HealthCheckResponse::SERVING);
  }
  ASSERT_EQ(clients.size(), kListeners);

  const absl::Time begin = absl::Now();
  patd.process().Signal(SIGTERM);
  for (auto& watch : watches) {
    HealthCheckResponse health;
    ASSERT_TRUE(watch.stream->Read(&health));
    EXPECT_EQ(health.status(), HealthCheckResponse::NOT_SERVING);
  }
  // The streams hold each server for its 5 s; the next one does not serve meanwhile.
  for (const std::unique_ptr<Client>& client : clients) {
    while (client->Call(&IntrospectionStub::Introspect, Nobody(), QuestionFor("anything")).status.ok()) {
      ASSERT_LT(absl::Now() - begin, absl::Seconds(4)) << "a listener serves on";
    }
  }
  EXPECT_EQ(patd.process().Wait(absl::Seconds(10) - (absl::Now() - begin)).exit_code, 0);
  for (auto& reflection : reflections) EXPECT_FALSE(reflection.stream->Finish().ok());
}

TEST(NeighbourTest, SecondProcessOnTheSameDataIsRefusedAndTheFirstGoesOn) {
  const TestDirectory directory;
  Patd first({"--data-dir", directory / "data"});
  const MadeToken made = first.client().Create("ada", "first come");
  ExpectRefusedStart(RunToItsEnd(PatdDev({"--data-dir", directory / "data", "--listen", "127.0.0.1:0"})),
                     directory / "data" + " is in use by another process");
  EXPECT_TRUE(first.client().IntrospectNow(made.secret).active());
  first.client().Revoke(made.token);
  EXPECT_FALSE(first.client().IntrospectNow(made.secret).active());
}

// What a person asks first.
TEST(HealthcheckTest, AsksADevServerOnLoopback) {
  Patd patd({"--log-level", "error"});
  EXPECT_EQ(RunToItsEnd(PatdCommand("healthcheck", {"--listen", patd.address()})).end.exit_code, 0);
  ExpectRefusedStart(RunToItsEnd(PatdCommand("healthcheck", {"--listen", "192.0.2.1:7443"})),
                     "--listen: 192.0.2.1:7443 takes a client certificate");
}

// GRPC_TRACE prints every header of every call.
TEST(TracingTest, GrpcsTracingIsOffUnlessItIsAskedFor) {
  const std::vector<std::string> environment = {"GRPC_VERBOSITY=debug", "GRPC_TRACE=all"};
  const std::string credential = absl::Base64Escape("admin:admin-password");
  const auto output_of = [&](const std::vector<std::string>& arguments) {
    Patd patd(PatdDev(arguments, environment));
    const MadeToken made = patd.client().Create("ada", "traced");
    EXPECT_TRUE(
        patd.client().Call(&IntrospectionStub::Introspect, Person("admin"), QuestionFor(made.secret)).value().active());
    patd.process().Signal(SIGTERM);
    EXPECT_EQ(patd.process().Wait().exit_code, 0);
    const std::string output = patd.process().standard_output() + patd.process().standard_error();
    return std::pair(output, made.secret);
  };
  const auto [output, secret] = output_of({"--log-level", "debug"});
  EXPECT_FALSE(absl::StrContains(output, secret));
  EXPECT_FALSE(absl::StrContains(output, credential));
  EXPECT_FALSE(absl::StrContains(absl::AsciiStrToLower(output), "authorization:"));
  EXPECT_LT(output.size(), 10'000u);
  // Otherwise the above shows nothing.
  EXPECT_TRUE(absl::StrContains(output_of({"--insecure-debug"}).first, "authorization"));
}

// Whoever may call must not be able to fill the disk of the log, nor put lines into it that are none.
TEST(LogTest, BadRequestsDoNotFloodTheLog) {
  Patd patd({"--log-level", "debug", "--log-format", "json"});
  const std::vector<std::string> undecodable = {"\x0a\x02\xc3\x28", "\x0a\x7f", std::string(100, '\xff')};
  for (int i = 0; i < 100; ++i) {
    for (const std::string& bytes : undecodable) {
      for (const char* method : {"/pat.v1.IntrospectionService/Introspect", "/pat.v1.TokenService/CreateToken",
                                 "/pat.v1.TokenService/NoSuchMethod"}) {
        EXPECT_FALSE(patd.client().CallRaw(method, PortalFor("ada\"\\"), bytes).status.ok());
      }
    }
  }
  patd.process().Signal(SIGTERM);
  EXPECT_EQ(patd.process().Wait().exit_code, 0);
  const std::vector<std::string> lines = Lines(patd.process().standard_error());
  EXPECT_LE(lines.size(), 30u);
  for (const std::string& line : lines) {
    EXPECT_TRUE(absl::StartsWith(line, "{\"time\":\"") && absl::EndsWith(line, "\"}")) << line;
  }
}

TEST(CoreDumpTest, ProcessLeavesNoneAndCannotBeLookedInto) {
  constexpr uid_t kNobody = 65534;
  ProcessSettings settings = PatdDev({"--log-level", "error"});
  const TestDirectory directory;
  if (geteuid() == 0) {
    settings.user = kNobody;
    ASSERT_EQ(chown(directory.path().c_str(), kNobody, kNobody), 0);
    ASSERT_EQ(chmod(std::filesystem::path(directory.path()).c_str(), 0755), 0);
  }
  settings.environment = {"TMPDIR=" + directory.path()};
  Patd patd(settings);
  const std::string proc = absl::StrCat("/proc/", patd.process().pid());
  bool limited = false;
  for (const std::string& line : Lines(ReadFile(proc + "/limits"))) {
    if (!absl::StartsWith(line, "Max core file size")) continue;
    const std::vector<std::string> words = absl::StrSplit(line, ' ', absl::SkipEmpty());
    limited = words[4] == "0" && words[5] == "0";
  }
  EXPECT_TRUE(limited) << ReadFile(proc + "/limits");
  // The files there of a process that is not dumpable belong to root.
  struct stat info {};
  ASSERT_EQ(stat((proc + "/environ").c_str(), &info), 0);
  EXPECT_EQ(info.st_uid, 0u);
}

}  // namespace
}  // namespace pat

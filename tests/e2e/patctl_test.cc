// patctl itself against patd itself: what people are told who ask the wrong server, and what scripts rely on.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "google/protobuf/util/json_util.h"
#include "pat/v1/introspection_service.pb.h"
#include "pat/v1/user_service.pb.h"
#include "tests/e2e/authority_process.h"
#include "tests/e2e/child_process.h"
#include "tests/e2e/patd.h"
#include "tests/e2e/test_directory.h"

namespace pat {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

struct Ended {
  int status;
  std::string out;
  std::string err;
};

// With nothing on standard input, and no terminal.
Ended RunPatctl(std::vector<std::string> arguments, const std::vector<std::string>& environment = {}) {
  ChildProcess process(
      {.program = PAT_PATCTL, .arguments = std::move(arguments), .environment = environment, .user = {}});
  const ProcessEnd end = process.Wait();
  return {end.exit_code, process.standard_output(), process.standard_error()};
}

class PatctlE2eTest : public ::testing::Test {
 protected:
  PatctlE2eTest() : patd_({"--sidecar-listen", absl::StrCat("unix:", directory_ / "sidecar.sock")}) {
    for (const std::string user : {"admin", "ada"}) {
      const std::string path = PasswordFile(user);
      std::ofstream(path) << user << "-password\n";
      chmod(path.c_str(), 0600);
    }
  }

  std::string PasswordFile(const std::string& user) const { return directory_ / user; }
  std::string Sidecar() const { return absl::StrCat("unix:", directory_ / "sidecar.sock"); }

  std::vector<std::string> Environment(const std::string& user, const std::string& server) const {
    return {"PATCTL_SERVER=" + server, "PATCTL_USER=" + user, "PATCTL_PASSWORD_FILE=" + PasswordFile(user)};
  }

  Ended As(const std::string& user, std::vector<std::string> arguments) {
    return RunPatctl(std::move(arguments), Environment(user, patd_.address()));
  }

  // A file with the secret of a token of ada's with this display name.
  std::string MakeToken(const std::string& name) {
    const Ended made = As("ada", {"token", "create", "--name", name, "--scopes", "TM.Defects.Read", "--expires", "1d"});
    EXPECT_EQ(made.status, 0) << made.err;
    std::string path = directory_ / name;
    std::ofstream(path) << made.out;
    chmod(path.c_str(), 0600);
    return path;
  }

  const TestDirectory directory_;
  Patd patd_;
};

TEST_F(PatctlE2eTest, WhoAsksASidecarForTokensIsToldWhereToGo) {
  for (const std::vector<std::string>& command :
       {std::vector<std::string>{"token", "list"}, {"scopes", "list"}, {"user", "list"}, {"policy", "show"}}) {
    const Ended ended = RunPatctl(command, Environment("admin", Sidecar()));
    EXPECT_EQ(ended.status, 1);
    EXPECT_THAT(ended.err, HasSubstr("UNIMPLEMENTED"));
    EXPECT_THAT(ended.err, HasSubstr("is a sidecar (introspection only)"));
    EXPECT_THAT(ended.err, HasSubstr("  hint: point --server (PATCTL_SERVER) at the authority\n"));
  }
}

TEST_F(PatctlE2eTest, ASidecarKnowsNoUsers) {
  const std::string secret = MakeToken("one");
  Ended ended = RunPatctl({"introspect", "--token-file", secret}, Environment("ada", Sidecar()));
  EXPECT_EQ(ended.status, 1);
  EXPECT_THAT(ended.err, HasSubstr("UNAUTHENTICATED: there are no users here"));
  EXPECT_THAT(ended.err, HasSubstr("  hint: leave out who asks: --user '' if PATCTL_USER is set\n"));
  ended = RunPatctl({"introspect", "--token-file", secret, "--user", ""}, Environment("ada", Sidecar()));
  EXPECT_EQ(ended.status, 0) << ended.err;
}

TEST_F(PatctlE2eTest, AMaximumStalenessOfZeroAsksTheStore) {
  const std::string secret = MakeToken("two");
  const auto source = [&](const std::vector<std::string>& more) {
    std::vector<std::string> arguments = {"introspect", "--token-file", secret, "--output", "json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Ended ended = RunPatctl(arguments, {"PATCTL_SERVER=" + Sidecar()});
    EXPECT_EQ(ended.status, 0) << ended.err;
    v1::IntrospectResponse response;
    EXPECT_TRUE(google::protobuf::util::JsonStringToMessage(ended.out, &response).ok()) << ended.out;
    return response.freshness().source();
  };
  EXPECT_EQ(source({}), v1::Freshness::SOURCE_STORE);
  EXPECT_EQ(source({}), v1::Freshness::SOURCE_CACHE);
  EXPECT_EQ(source({"--max-staleness", "0"}), v1::Freshness::SOURCE_STORE);
  EXPECT_EQ(source({"--max-staleness", "0s"}), v1::Freshness::SOURCE_STORE);
  EXPECT_EQ(source({"--max-staleness", "1h"}), v1::Freshness::SOURCE_CACHE);
}

TEST_F(PatctlE2eTest, WhatEndsTokensWantsAYes) {
  const std::string secret = MakeToken("three");
  for (const std::vector<std::string>& command :
       {std::vector<std::string>{"policy", "update", "--maximum-lifespan", "1h"},
        {"policy", "update", "--forbid", "TM.Defects.Read"},
        {"policy", "update", "--tokens", "disabled"},
        {"user", "update", "users/ada", "--grants", "TM.Defects"},
        {"user", "update", "ada", "--remove-grant", "*"},
        {"user", "update", "ada", "--disabled", "true"},
        {"user", "delete", "ada"},
        {"token", "revoke", "three", "--owner", "users/ada"},
        {"token", "revoke-all", "--owner", "users/ada"}}) {
    const Ended ended = As("admin", command);
    EXPECT_EQ(ended.status, 4) << ended.err;
    EXPECT_THAT(ended.err,
                HasSubstr("not confirmed; nothing was changed: standard input is no terminal, so give --yes"));
  }
  EXPECT_EQ(
      RunPatctl({"introspect", "--token-file", secret, "--max-staleness", "0"}, {"PATCTL_SERVER=" + patd_.address()})
          .status,
      0);
  const Ended ended = As("admin", {"token", "revoke", "three", "--owner", "users/ada", "--yes"});
  EXPECT_EQ(ended.status, 0) << ended.err;
  EXPECT_THAT(ended.err, HasSubstr("revoked \"three\" (users/ada/tokens/"));
}

TEST_F(PatctlE2eTest, JsonHasWhatIsFalseAndEmptyToo) {
  const Ended ended = As("admin", {"user", "list", "--output", "jsonl"});
  EXPECT_EQ(ended.status, 0) << ended.err;
  const std::vector<std::string> lines = absl::StrSplit(ended.out, '\n', absl::SkipEmpty());
  EXPECT_EQ(lines.size(), 5);
  for (const std::string& line : lines) {
    for (const char* field : {"\"disabled\":", "\"administrator\":", "\"grants\":["}) {
      EXPECT_THAT(line, HasSubstr(field));
    }
  }
}

TEST_F(PatctlE2eTest, APasswordThatOthersCanReadIsWarnedAbout) {
  EXPECT_THAT(As("ada", {"token", "list"}).err, Not(HasSubstr("warning")));
  chmod(PasswordFile("ada").c_str(), 0644);
  const Ended ended = As("ada", {"token", "list"});
  EXPECT_EQ(ended.status, 0);
  EXPECT_THAT(ended.err,
              HasSubstr(absl::StrCat("patctl: warning: others can read \"", PasswordFile("ada"), "\": chmod 600 ")));
}

// The messages of gRPC are guessed at: here against the TLS of patd itself.
TEST(PatctlTlsTest, SaysWhyAnAuthorityCannotBeReached) {
  AuthorityProcess authority;
  authority.Start({"--identity", "dns=laptop.example,role=user"});
  authority.Write("server-ca.crt", authority.server_ca.pem);
  const MadeCertificate own = authority.Named("DNS:laptop.example");
  authority.Write("own.crt", own.pem);
  authority.Write("own.key", own.key, 0600);
  const auto list = [&](const std::vector<std::string>& more) {
    std::vector<std::string> arguments = {"token",  "list", "--server",        authority.patd->address(),
                                          "--user", "root", "--password-file", authority.directory / "password"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return RunPatctl(arguments);
  };
  const std::string ca = authority.directory / "server-ca.crt";
  const std::vector<std::string> client = {"--tls-cert", authority.directory / "own.crt", "--tls-key",
                                           authority.directory / "own.key"};
  EXPECT_THAT(list({}).err, HasSubstr("breaks the plaintext connection off: it seems to speak TLS"));
  EXPECT_THAT(list({"--tls"}).err, HasSubstr("is of no authority that is trusted here"));
  EXPECT_THAT(list({"--tls-ca", ca}).err, HasSubstr("made out to patd.example, not to 127.0.0.1"));
  EXPECT_THAT(list({"--tls-ca", ca, "--tls-server-name", "patd.example"}).err,
              HasSubstr("it seems to want a client certificate"));
  const Ended ended =
      list({"--tls-ca", ca, "--tls-server-name", "patd.example", client[0], client[1], client[2], client[3]});
  EXPECT_EQ(ended.status, 0) << ended.err;
  EXPECT_EQ(ended.err, "no tokens\n");
  EXPECT_THAT(ended.out, IsEmpty());
}

}  // namespace
}  // namespace pat

// How `patd init` and `patd authority` do not start: one line, exit status 2, and nothing made or changed.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tests/e2e/authority_process.h"

namespace pat {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

// What there is under a directory, without what is in a database.
std::set<std::string> Everything(const std::string& directory) {
  std::set<std::string> paths;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
    const std::string path = entry.path().string();
    if (path.find("/db/") == std::string::npos) paths.insert(path);
  }
  return paths;
}

class StartTest : public testing::Test {
 protected:
  void ExpectRefused(const std::string& command, const std::vector<std::string>& arguments,
                     const std::vector<std::string>& says) {
    SCOPED_TRACE(testing::PrintToString(arguments));
    ProcessSettings settings = PatdCommand(command, arguments, {"TMPDIR=" + directory_.path()});
    const std::set<std::string> before = Everything(directory_.path());
    const FailedStart start = RunToItsEnd(settings);
    EXPECT_EQ(start.end.exit_code, 2);
    EXPECT_THAT(start.standard_output, IsEmpty());
    EXPECT_THAT(start.standard_error, StartsWith("patd: "));
    const std::vector<std::string> lines = absl::StrSplit(start.standard_error, '\n', absl::SkipEmpty());
    EXPECT_THAT(lines, SizeIs(1));
    for (const std::string& text : says) EXPECT_THAT(start.standard_error, HasSubstr(text));
    EXPECT_EQ(Everything(directory_.path()), before);
  }

  std::string Write(const std::string& name, const std::string& content, mode_t mode = 0600) {
    std::string path = directory_ / name;
    std::ofstream(path, std::ios::binary) << content;
    chmod(path.c_str(), mode);
    return path;
  }

  const TestDirectory directory_;
};

class InitTest : public StartTest {
 protected:
  std::vector<std::string> Arguments(const std::string& password_file) const {
    return {"--data-dir", directory_ / "data", "--admin", "root", "--password-file", password_file};
  }
};

TEST_F(InitTest, MakesDataPepperAndAdministratorAndSaysWhatIsNext) {
  const std::string password = Write("password", "correct horse\n");
  const FailedStart init = RunToItsEnd(PatdCommand("init", Arguments(password)));
  EXPECT_EQ(init.end.exit_code, 0) << init.standard_error;
  EXPECT_THAT(init.standard_output, HasSubstr("Data directory: " + directory_ / "data"));
  EXPECT_THAT(init.standard_output, HasSubstr("Pepper file:    " + directory_ / "data.pepper"));
  EXPECT_THAT(init.standard_output, HasSubstr("Administrator:  root"));
  EXPECT_THAT(init.standard_output, HasSubstr("patd authority --data-dir " + directory_ / "data"));
  EXPECT_THAT(init.standard_output + init.standard_error, testing::Not(HasSubstr("correct")));
  struct stat info {};
  ASSERT_EQ(stat((directory_ / "data.pepper").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0400u);
  ASSERT_EQ(stat((directory_ / "data").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0700u);

  // The second time it is there, and left alone.
  ExpectRefused("init", Arguments(password), {"--data-dir: " + directory_ / "data" + " is made already"});
  // It is no toy of `patd dev`.
  ExpectRefused("dev", {"--data-dir", directory_ / "data", "--listen", "127.0.0.1:0"}, {directory_ / "data"});
}

TEST_F(InitTest, TakesThePepperFileThatIsNamed) {
  const std::string password = Write("password", "correct horse");
  std::vector<std::string> arguments = Arguments(password);
  arguments.insert(arguments.end(), {"--pepper-file", directory_ / "elsewhere.pepper"});
  const FailedStart init = RunToItsEnd(PatdCommand("init", arguments));
  EXPECT_EQ(init.end.exit_code, 0) << init.standard_error;
  EXPECT_THAT(init.standard_output, HasSubstr("--pepper-file " + directory_ / "elsewhere.pepper"));
  EXPECT_TRUE(std::filesystem::exists(directory_ / "elsewhere.pepper"));
  EXPECT_FALSE(std::filesystem::exists(directory_ / "data.pepper"));
}

TEST_F(InitTest, WhatIsWrongLeavesNothingBehind) {
  const std::string password = Write("password", "correct horse\n");
  ExpectRefused("init", {"--admin", "root", "--password-file", password}, {"--data-dir: is not given"});
  ExpectRefused("init", {"--data-dir", directory_ / "data", "--password-file", password}, {"--admin: is not given"});
  ExpectRefused("init", {"--data-dir", directory_ / "data", "--admin", "Root", "--password-file", password},
                {"--admin", "\"Root\""});
  ExpectRefused("init", {"--data-dir", directory_ / "none/data", "--admin", "root", "--password-file", password},
                {directory_ / "none"});
  ExpectRefused("init", Arguments(directory_ / "none"), {"--password-file: ", directory_ / "none"});
  ExpectRefused("init", Arguments(Write("open", "correct horse", 0644)), {"--password-file: ", "0644"});
  ExpectRefused("init", Arguments(Write("empty", "\n")), {"the password is empty"});
  ExpectRefused("init", Arguments(Write("short", "1234567\n")),
                {"--password-file: " + directory_ / "short" + ": the password has 7"});
  ExpectRefused("init", Arguments(Write("long", std::string(1025, 'x'))), {"password"});
  ExpectRefused("init", Arguments(Write("controls", "correct\thorse")), {"password"});
  // A password is never an argument.
  ExpectRefused("init", {"--data-dir", directory_ / "data", "--admin", "root", "--password", "correct horse"},
                {"--password"});
}

// However far it came before there was no more space.
TEST_F(InitTest, AFullDiskLeavesNothingBehind) {
  const std::string password = Write("password", "correct horse\n");
  for (const rlim_t largest : {10, 40, 500, 2000, 4200}) {
    SCOPED_TRACE(largest);
    ProcessSettings settings = PatdCommand("init", Arguments(password));
    settings.largest_file = largest;
    const std::set<std::string> before = Everything(directory_.path());
    EXPECT_EQ(RunToItsEnd(settings).end.exit_code, 2);
    EXPECT_EQ(Everything(directory_.path()), before);
  }
  EXPECT_EQ(RunToItsEnd(PatdCommand("init", Arguments(password))).end.exit_code, 0);
}

TEST_F(StartTest, AnAuthorityNeedsDataThatInitMade) {
  const std::string socket = "unix:" + directory_ / "s";
  ExpectRefused("authority", {"--listen", socket}, {"--data-dir: is not given"});
  ExpectRefused("authority", {"--listen", socket, "--data-dir", directory_ / "none"},
                {"--data-dir: " + directory_ / "none" + " holds no tokens yet", "patd init"});
  { Patd dev({"--data-dir", directory_ / "dev"}); }
  ExpectRefused("authority", {"--listen", socket, "--data-dir", directory_ / "dev"},
                {"--data-dir: " + directory_ / "dev", "development", "serve it with patd dev"});
}

TEST(AuthorityStartTest, OptionsThatDoNotFitTogetherAreOneLine) {
  AuthorityProcess authority;
  const auto refused = [&](const std::vector<std::string>& arguments, const std::vector<std::string>& says) {
    SCOPED_TRACE(testing::PrintToString(arguments));
    std::vector<std::string> all = {"--data-dir", authority.data_dir()};
    all.insert(all.end(), arguments.begin(), arguments.end());
    const std::set<std::string> before = Everything(authority.directory.path());
    const FailedStart start = RunToItsEnd(PatdCommand("authority", all, {"TMPDIR=" + authority.directory.path()}));
    EXPECT_EQ(start.end.exit_code, 2);
    const std::vector<std::string> lines = absl::StrSplit(start.standard_error, '\n', absl::SkipEmpty());
    EXPECT_THAT(lines, SizeIs(1));
    for (const std::string& text : says) EXPECT_THAT(start.standard_error, HasSubstr(text));
    EXPECT_EQ(Everything(authority.directory.path()), before);
  };
  const std::vector<std::string> tls = authority.TlsArguments();
  const auto with_tls = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), tls.begin(), tls.end());
    return arguments;
  };
  refused({"--listen", "127.0.0.1:0"}, {"--listen: 127.0.0.1:0 is mutual TLS, and there is no certificate"});
  refused({"--listen", "0.0.0.0:0"}, {"--listen: 0.0.0.0:0 is mutual TLS"});
  refused({"--listen", "0.0.0.0:0?plaintext"}, {"plaintext beyond loopback"});
  refused({"--listen", "127.0.0.1:0?role=introspector"}, {"--listen"});
  refused({"--tls-cert", tls[1], "--tls-key", tls[3]}, {"--tls-client-ca: is missing"});
  refused({"--listen", "unix:/tmp/never", "--identity", "dns=a.example,role=user"}, {"--identity", "no TLS"});
  refused(with_tls({"--identity", "dns=a.example,role=admin"}), {"--identity", "\"admin\" is no role"});
  refused(with_tls({"--listen", "127.0.0.1:0", "--cache-ttl", "1x"}), {"--cache-ttl", "\"1x\""});
  refused(with_tls({"--listen", "127.0.0.1:0", "--audit-log", "/no/such/place"}), {"--audit-log: /no/such/place"});
  refused(with_tls({"--health-listen", "localhost:1"}), {"--health-listen", "\"localhost:1\""});
  chmod((authority.directory / "tls.key").c_str(), 0644);
  refused(with_tls({"--listen", "127.0.0.1:0"}), {"--tls-key: " + authority.directory / "tls.key", "0644"});
  chmod((authority.directory / "tls.key").c_str(), 0600);
  authority.Write("ca.crt", "");
  refused(with_tls({"--listen", "127.0.0.1:0"}), {"--tls-client-ca: " + authority.directory / "ca.crt"});
  authority.Write("ca.crt", authority.client_ca.pem);
  std::filesystem::rename(authority.data_dir() + ".pepper", authority.directory / "lost");
  refused(with_tls({"--listen", "127.0.0.1:0"}), {"data.pepper", "missing"});
  std::filesystem::rename(authority.directory / "lost", authority.data_dir() + ".pepper");
  authority.Start();
}

// Who answers for it finds in the log why somebody is not let in.
TEST(AuthorityStartTest, RefusedClientsAreInTheLog) {
  AuthorityProcess authority;
  authority.Start();
  const auto ask = [](Client client) {
    return client.Call(&IntrospectionStub::Introspect, Nobody(), QuestionFor("anything")).status.error_code();
  };
  EXPECT_EQ(ask(authority.WithoutCertificate()), grpc::StatusCode::UNAVAILABLE);
  EXPECT_TRUE(Becomes([&] { return authority.HasSaid("TLS: a handshake failed: peer did not return a certificate"); }));
  EXPECT_EQ(ask(authority.Over(authority.Named("DNS:stranger.example"))), grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_TRUE(authority.HasSaid("/pat.v1.IntrospectionService/Introspect from ipv4:127.0.0.1:"));
  EXPECT_TRUE(authority.HasSaid("certificate dns=stranger.example: CREDENTIALS_INVALID: "));
}

}  // namespace
}  // namespace pat

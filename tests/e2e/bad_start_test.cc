// How `patd` does not start: one line that says what is wrong, exit status 2, and nothing made. And which of several
// values counts when it does.

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tests/e2e/patd.h"
#include "tests/e2e/test_directory.h"

namespace pat {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

constexpr uid_t kNobody = 65534;

// A port of loopback that somebody listens on.
class TakenPort {
 public:
  TakenPort() : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    if (bind(socket_, reinterpret_cast<const sockaddr*>(&address), size) != 0 || listen(socket_, 1) != 0 ||
        getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
      throw std::runtime_error("no port to listen on");
    }
    address_ = absl::StrCat("127.0.0.1:", ntohs(address.sin_port));
  }
  ~TakenPort() { close(socket_); }

  TakenPort(const TakenPort&) = delete;
  TakenPort& operator=(const TakenPort&) = delete;

  const std::string& address() const { return address_; }

 private:
  const int socket_;
  std::string address_;
};

class BadStartTest : public testing::Test {
 protected:
  std::string Write(const std::string& name, const std::string& content, mode_t mode = 0600) {
    std::string path = directory_ / name;
    std::ofstream(path, std::ios::binary) << content;
    chmod(path.c_str(), mode);
    return path;
  }

  std::set<std::string> Everything() const {
    std::set<std::string> paths;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(directory_.path())) {
      paths.insert(entry.path().string());
    }
    return paths;
  }

  // `settings` with a data directory that is not there yet, a free port and a TMPDIR, does not start, and says `says`
  // (and all of it in one line).
  void ExpectRunRefused(ProcessSettings settings, const std::vector<std::string>& says) {
    SCOPED_TRACE(testing::PrintToString(settings.arguments));
    settings.environment.push_back("TMPDIR=" + directory_.path());
    const std::set<std::string> before = Everything();
    const FailedStart start = RunToItsEnd(settings);
    EXPECT_EQ(start.end.exit_code, 2);
    EXPECT_THAT(start.standard_output, IsEmpty());
    EXPECT_THAT(start.standard_error, StartsWith("patd: "));
    EXPECT_THAT(start.standard_error, testing::EndsWith("\n"));
    const std::vector<std::string> lines = absl::StrSplit(start.standard_error, '\n', absl::SkipEmpty());
    EXPECT_THAT(lines, SizeIs(1));
    for (const std::string& text : says) EXPECT_THAT(start.standard_error, HasSubstr(text));
    EXPECT_EQ(Everything(), before);
  }

  void ExpectRefused(const std::vector<std::string>& arguments, const std::vector<std::string>& says,
                     const std::vector<std::string>& environment = {}) {
    std::vector<std::string> all = {"--data-dir", directory_ / "data"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    ExpectRunRefused(PatdDev(all, environment), says);
  }

  const TestDirectory directory_;
};

TEST_F(BadStartTest, CommandLineThatIsWrong) {
  ProcessSettings nothing = PatdDev({});
  nothing.arguments.clear();
  ExpectRunRefused(nothing, {"subcommand"});
  nothing.arguments = {"serve"};
  ExpectRunRefused(nothing, {"serve"});
  ExpectRefused({"--no-such-flag"}, {"--no-such-flag"});
  ExpectRefused({"--cache-tll", "1h"}, {"--cache-tll"});
  ExpectRefused({"left-over"}, {"left-over"});
  nothing.arguments = {"--log-level", "debug", "authority"};
  ExpectRunRefused(nothing, {"\"--log-level\" stands before the command; give patd authority first"});
  ExpectRefused({"--cache-ttl"}, {"--cache-ttl"});
  ExpectRefused({"--cache-ttl", "1h", "--cache-ttl", "2h"}, {"--cache-ttl"});
}

TEST_F(BadStartTest, ValueThatIsWrong) {
  for (const char* duration :
       {"1 hour", "", "90", "-1s", "1.5h", "1h30m", "366d", "1y", "s", "99999999999999999999s"}) {
    ExpectRefused({absl::StrCat("--cache-ttl=", duration)}, {"--cache-ttl", absl::StrCat("\"", duration, "\""), "90s"});
  }
  ExpectRefused({"--negative-cache-ttl", "ten"}, {"--negative-cache-ttl", "\"ten\""});
  ExpectRefused({"--cache-capacity", "many"}, {"--cache-capacity", "\"many\"", "10 to"});
  ExpectRefused({"--cache-capacity", "0"}, {"--cache-capacity", "\"0\""});
  ExpectRefused({"--reflection", "maybe"}, {"--reflection", "\"maybe\"", "auto, on or off"});
  ExpectRefused({"--log-format", "xml"}, {"--log-format", "\"xml\"", "json"});
  ExpectRefused({"--log-level", "loud"}, {"--log-level", "\"loud\"", "debug"});
  // Where the value stands is named.
  ExpectRefused({}, {"PATD_CACHE_TTL", "\"soon\""}, {"PATD_CACHE_TTL=soon"});
  ExpectRefused({}, {"PATD_LISTEN", "localhost"}, {"PATD_LISTEN=127.0.0.1:0,localhost:7443"});
  ExpectRefused({}, {"PATD_LISTEN", "\",\""}, {"PATD_LISTEN=,"});
  ExpectRefused({"--issuer", "two\nlines"}, {"--issuer", "\"two\\nlines\""});
}

TEST_F(BadStartTest, ConfigurationFileThatIsWrong) {
  const auto refused = [this](const std::string& content, const std::vector<std::string>& says) {
    std::vector<std::string> all = {"patd.yaml"};
    all.insert(all.end(), says.begin(), says.end());
    ExpectRefused({"--config", Write("patd.yaml", content)}, all);
  };
  refused("cache-tll: 1h\n", {"\"cache-tll\""});
  refused("cache_ttl: 1h\n", {"\"cache_ttl\""});
  refused("cache-ttl: 1 hour\n", {"cache-ttl", "\"1 hour\"", "90s"});
  refused("cache-ttl: [1h, 2h]\n", {"cache-ttl"});
  refused("cache-ttl: {a: b}\n", {"cache-ttl"});
  refused("just a text\n", {"key: value"});
  refused("- a list\n", {"key: value"});
  refused("cache-ttl: 1h\nlisten: [127.0.0.1:0\n", {"line "});
  refused("cache-ttl: \"1h\nissuer: x\n", {"cache-ttl", "\"1h issuer: x"});
  refused("listen: [{address: '127.0.0.1:0', rolle: introspector}]\n", {"listen", "rolle"});
  refused("listen: ['127.0.0.1:0', 'localhost:7443']\n", {"listen", "localhost:7443"});
  refused("? [a]\n: b\n", {});
  refused("listen: [[a, b]]\n", {"listen"});
  refused("listen: [{address: '127.0.0.1:0', plaintext: perhaps}]\n", {});
  ExpectRefused({"--config", directory_ / "none.yaml"}, {"--config", "none.yaml"});
  ExpectRefused({"--config", directory_.path()}, {directory_.path()});
}

TEST_F(BadStartTest, AddressThatCannotBeListenedOn) {
  const TakenPort taken;
  ExpectRefused({"--listen", taken.address()}, {"--listen", taken.address(), "in use"});
  ExpectRefused({"--listen", "127.0.0.1:0", "--listen", taken.address()}, {taken.address()});
  for (const char* beyond : {"0.0.0.0:0", "[::]:0", "192.0.2.1:7443", "[2001:db8::1]:7443"}) {
    ExpectRefused({"--listen", beyond}, {"--listen", beyond, "beyond loopback"});
  }
  ExpectRefused({"--listen", "0.0.0.0:0?plaintext"}, {"0.0.0.0:0", "beyond loopback"});
  for (const char* wrong :
       {"localhost:7443", "127.0.0.1", "127.0.0.1:65536", "127.0.0.1:", ":7443", "::1:7443", "[::1]",
        "unix:relative.sock", "unix:", "127.0.0.1:7443?role=introspector", "http://[::1]"}) {
    ExpectRefused({"--listen", wrong}, {"--listen", wrong});
  }
  ExpectRefused({"--listen", "unix:" + directory_ / "none" + "/s"}, {"--listen", directory_ / "none"});
  ExpectRefused({"--listen", "unix:" + directory_ / "s?mode=0999"}, {"--listen", "mode"});
  ExpectRefused({"--listen", "unix:" + directory_ / "s?role=admin"}, {"--listen", "role=admin"});
}

// The data were made before it was tried to make the socket, and stayed.
TEST_F(BadStartTest, SocketWhereNothingMayBeMade) {
  std::filesystem::create_directory(directory_ / "closed");
  chmod((directory_ / "closed").c_str(), 0555);
  ProcessSettings settings =
      PatdDev({"--data-dir", directory_ / "data", "--listen", "unix:" + directory_ / "closed/s.sock"});
  if (geteuid() == 0) {
    settings.user = kNobody;
    ASSERT_EQ(chown(directory_.path().c_str(), kNobody, kNobody), 0);
  }
  ExpectRunRefused(settings, {"--listen: " + directory_ / "closed/s.sock", "ermission denied"});
}

TEST_F(BadStartTest, TheSameAddressTwice) {
  std::string free;
  {
    const TakenPort port;
    free = port.address();
  }
  ExpectRefused({"--listen", free, "--listen", free}, {"--listen", free});
  ExpectRefused({"--listen", "unix:" + directory_ / "s", "--listen", "unix:" + directory_ / "s"}, {directory_ / "s"});
}

TEST_F(BadStartTest, PepperThatIsNone) {
  const std::string good(32, 'p');
  ExpectRefused({"--listen", "127.0.0.1:0", "--pepper-file", directory_ / "none"}, {directory_ / "none"});
  for (const auto& [content, mode, says] :
       {std::tuple(std::string(31, 'p'), 0400, "31 bytes"), std::tuple(std::string(), 0400, "0 bytes"),
        std::tuple(std::string(5000, 'p'), 0400, "5000 bytes"), std::tuple(good, 0444, "0444"),
        std::tuple(good, 0604, "0604"), std::tuple(good, 0402, "0402")}) {
    const std::string path = Write("pepper", content, mode);
    ExpectRefused({"--listen", "127.0.0.1:0", "--pepper-file", path}, {"--pepper-file: " + path, says});
    std::filesystem::remove(path);
  }
  const std::string path = Write("pepper", good, 0400);
  ExpectRefused({"--listen", "127.0.0.1:0", "--pepper-file", path, "--pepper-file", path}, {"twice"});
  ExpectRefused({"--listen", "127.0.0.1:0", "--pepper-file", directory_.path()}, {directory_.path()});
  ExpectRefused({"--listen", "127.0.0.1:0", "--pepper-file", ""}, {"--pepper-file"});
}

TEST_F(BadStartTest, PepperOfAStoreThatIsMissing) {
  const std::vector<std::string> arguments = {"--data-dir", directory_ / "data", "--listen", "127.0.0.1:0"};
  Patd(arguments).process().Kill();
  const std::string pepper = directory_ / "data.pepper";
  std::filesystem::rename(pepper, directory_ / "elsewhere");
  ExpectRunRefused(PatdDev(arguments), {pepper, "missing"});
  chmod((directory_ / "elsewhere").c_str(), 0444);
  std::filesystem::rename(directory_ / "elsewhere", pepper);
  ExpectRunRefused(PatdDev(arguments), {pepper, "0444"});
}

TEST_F(BadStartTest, PepperInsideTheDataDirectory) {
  const std::vector<std::string> arguments = {"--listen", "127.0.0.1:0", "--data-dir", directory_ / "data"};
  const auto with_pepper = [&](const std::string& path) {
    std::vector<std::string> all = arguments;
    all.insert(all.end(), {"--pepper-file", path});
    return PatdDev(all);
  };
  ExpectRunRefused(with_pepper(directory_ / "data/pepper"), {"inside the data directory"});
  { Patd patd(arguments); }
  std::filesystem::create_directory(directory_ / "other");
  const std::string pepper = directory_ / "data/pepper";
  std::filesystem::copy_file(directory_ / "data.pepper", pepper);
  std::filesystem::create_symlink(directory_ / "data", directory_ / "link");
  for (const std::string& path : {pepper, directory_ / "other/../data/pepper", directory_ / "link/pepper"}) {
    ExpectRunRefused(with_pepper(path), {path, "inside the data directory", "--pepper-file"});
  }
  std::filesystem::remove(pepper);
  // "data.pepper" only begins like the directory.
  Patd patd(with_pepper(directory_ / "data.pepper"));
  EXPECT_TRUE(patd.client().Introspect("anything").has_active());
}

TEST_F(BadStartTest, PepperThatTheTokensWereNotMadeWith) {
  const std::string data = directory_ / "data";
  const std::string first = Write("first", std::string(32, '1'), 0400);
  const std::string second = Write("second", std::string(32, '2'), 0400);
  const auto with_peppers = [&](const std::vector<std::string>& peppers) {
    std::vector<std::string> arguments = {"--listen", "127.0.0.1:0", "--data-dir", data, "--log-level", "warn"};
    for (const std::string& pepper : peppers) arguments.insert(arguments.end(), {"--pepper-file", pepper});
    return PatdDev(arguments);
  };
  const auto warning_with = [&](const std::vector<std::string>& peppers) {
    Patd patd(with_peppers(peppers));
    patd.process().Signal(SIGTERM);
    EXPECT_EQ(patd.process().Wait().exit_code, 0);
    return patd.process().standard_error();
  };
  // Without tokens any pepper will do.
  EXPECT_THAT(warning_with({first}), IsEmpty());
  std::string old_secret;
  std::string new_secret;
  {
    Patd patd(with_peppers({second}));
    old_secret = patd.client().Create("ada", "old").secret;
  }
  const FailedStart refused = RunToItsEnd(with_peppers({first}));
  ExpectRefusedStart(refused, first + ": not the pepper that the tokens in " + data + " were made with");
  {
    Patd patd(with_peppers({first, second}));
    EXPECT_TRUE(patd.client().Introspect(old_secret).active());
    new_secret = patd.client().Create("ada", "new").secret;
  }
  EXPECT_THAT(warning_with({first, second}), IsEmpty());
  EXPECT_THAT(warning_with({first}), HasSubstr("were made with 2 peppers of which 1 are not given"));
  Patd patd(with_peppers({first}));
  EXPECT_TRUE(patd.client().Introspect(new_secret).active());
}

// A volume that was just made, with or without what its file system puts there.
TEST_F(BadStartTest, AnEmptyDirectoryIsNoStoreThatLostItsPepper) {
  for (const char* inside : {"volume", "ext4/lost+found"}) {
    std::filesystem::create_directories(directory_ / inside);
    const std::string data = directory_ / (absl::StartsWith(inside, "ext4") ? "ext4" : inside);
    Patd patd(PatdDev({"--listen", "127.0.0.1:0", "--data-dir", data}));
    EXPECT_TRUE(std::filesystem::exists(data + ".pepper"));
  }
}

// However far the first start came before there was no more space.
TEST_F(BadStartTest, FirstStartThatFailsLeavesNothingAndTheNextOneSucceeds) {
  const std::string data = directory_ / "data";
  const std::vector<std::string> arguments = {"--listen", "127.0.0.1:0", "--data-dir", data};
  std::filesystem::create_directories(directory_ / "volume/lost+found");
  size_t failed = 0;
  for (const rlim_t largest : {10, 40, 500, 2000, 4200, 5000}) {
    SCOPED_TRACE(largest);
    for (const std::string& place : {data, directory_ / "volume"}) {
      // A limit on the size of files stands for a full disk; it takes no root.
      ProcessSettings settings = PatdDev({"--listen", "127.0.0.1:0", "--data-dir", place});
      settings.largest_file = largest;
      settings.environment.push_back("TMPDIR=" + directory_.path());
      const std::set<std::string> before = Everything();
      const FailedStart start = RunToItsEnd(settings);
      EXPECT_EQ(start.end.exit_code, 2) << start.standard_error;
      EXPECT_EQ(Everything(), before);
      failed += start.end.exit_code == 2;
    }
  }
  EXPECT_EQ(failed, 12u);
  Patd patd(arguments);
  EXPECT_TRUE(patd.client().Introspect(patd.client().Create("ada", "at last").secret).active());
}

TEST_F(BadStartTest, DataDirectoryThatIsNone) {
  const std::string file = Write("file", "not a directory");
  ExpectRunRefused(PatdDev({"--listen", "127.0.0.1:0", "--data-dir", file + "/data"}), {file});
  ExpectRunRefused(PatdDev({"--listen", "127.0.0.1:0", "--data-dir", file}), {file});
  ExpectRunRefused(PatdDev({"--listen", "127.0.0.1:0", "--data-dir", directory_ / "none" + "/data"}),
                   {"--data-dir: " + directory_ / "none/data cannot be made: " + directory_ / "none is no directory"});
  std::filesystem::create_directory(directory_ / "foreign");
  Write("foreign/letter.txt", "something else");
  ExpectRunRefused(PatdDev({"--listen", "127.0.0.1:0", "--data-dir", directory_ / "foreign"}),
                   {directory_ / "foreign"});
}

TEST_F(BadStartTest, DataDirectoryThatMayNotBeWritten) {
  ProcessSettings settings = PatdDev({"--listen", "127.0.0.1:0", "--data-dir", directory_ / "data"});
  if (geteuid() == 0) {
    settings.user = kNobody;
    chmod(directory_.path().c_str(), 0755);
  } else {
    chmod(directory_.path().c_str(), 0555);
  }
  ExpectRunRefused(settings, {directory_ / "data", "ermission denied"});
  chmod(directory_.path().c_str(), 0755);
}

TEST_F(BadStartTest, ScopeCatalogueThatIsWrong) {
  const auto line = [](const std::string& name, const std::string& implies) {
    return absl::StrCat("R\tProduct\t", name, "\t", implies, "\tDescription.\town\n");
  };
  const auto refused = [&](const std::string& content, const std::vector<std::string>& says) {
    std::vector<std::string> all = {"--scope-catalog"};
    all.insert(all.end(), says.begin(), says.end());
    ExpectRefused({"--listen", "127.0.0.1:0", "--scope-catalog", Write("scopes.tsv", content)}, all);
  };
  refused(line("A", "B") + line("B", "C") + line("C", "A"), {"\"A\" > \"B\" > \"C\" > \"A\""});
  refused(line("A", "A"), {"\"A\""});
  refused(line("A", "B"), {"\"B\""});
  refused(line("A", "") + line("A", ""), {"\"A\"", "line 2"});
  refused("one field\n", {"line 1"});
  refused("", {});
  ExpectRefused({"--listen", "127.0.0.1:0", "--scope-catalog", directory_ / "none"}, {directory_ / "none"});
}

TEST_F(BadStartTest, FlagBeatsTheEnvironmentBeatsTheFile) {
  const std::string socket = directory_ / "socket";
  const std::string config =
      Write("patd.yaml", absl::StrCat("issuer: from the file\ncache-ttl: 11s\nnegative-cache-ttl: 5s\nlisten:\n",
                                      "  - address: 127.0.0.1:0\n  - {address: 'unix:", socket,
                                      "', role: introspector, mode: '0640'}\n"));
  {
    Patd patd(PatdDev({"--config", config, "--cache-ttl", "33s", "--listen", "127.0.0.1:0"},
                      {"PATD_CACHE_TTL=22s", "PATD_ISSUER=from the environment", "PATD_SERVICE_HOST=10.0.0.1",
                       "PATD_PORT=tcp://10.0.0.1:7443"}));
    const v1::IntrospectResponse answer = patd.client().Introspect(patd.client().Create("ada", "layers").secret);
    EXPECT_EQ(answer.iss(), "from the environment");
    EXPECT_EQ(ToTime(answer.freshness().fresh_until()) - ToTime(answer.freshness().read_time()), absl::Seconds(33));
    const MadeToken revoked = patd.client().Create("ada", "negative");
    patd.client().Revoke(revoked.token);
    const v1::Freshness inactive = patd.client().Introspect(revoked.secret).freshness();
    EXPECT_EQ(ToTime(inactive.fresh_until()) - ToTime(inactive.read_time()), absl::Seconds(5));
    EXPECT_FALSE(std::filesystem::exists(socket));  // --listen replaces the whole list.
  }

  ChildProcess process(PatdDev({"--config", config}, {"PATD_CONFIG=ignored"}));
  ASSERT_TRUE(process.WaitForOutput("\nData in ")) << process.standard_error();
  EXPECT_THAT(process.standard_output(), HasSubstr("Listening on 127.0.0.1:"));
  EXPECT_THAT(process.standard_output(), HasSubstr(absl::StrCat("Listening on unix:", socket)));
  struct stat info {};
  ASSERT_EQ(stat(socket.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0640u);
  Client introspector("unix:" + socket);
  EXPECT_TRUE(introspector.Introspect("anything").has_active());
  EXPECT_EQ(introspector.Call(&TokenStub::ListTokens, Nobody(), v1::ListTokensRequest()).status.error_code(),
            grpc::StatusCode::PERMISSION_DENIED);
}

TEST_F(BadStartTest, HelpAndVersionAreNoErrors) {
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"--help"}, {"dev", "--help"}, {"--version"}}) {
    ProcessSettings settings = PatdDev({});
    settings.arguments = arguments;
    const FailedStart run = RunToItsEnd(settings);
    EXPECT_EQ(run.end.exit_code, 0);
    EXPECT_THAT(run.standard_error, IsEmpty());
    EXPECT_THAT(run.standard_output, HasSubstr("patd"));
  }
}

}  // namespace
}  // namespace pat

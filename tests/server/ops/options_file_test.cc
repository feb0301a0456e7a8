// The YAML file.
#include <algorithm>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/ops/options.h"
#include "tests/server/ops/options_for_tests.h"
#include "tests/server/ops/scratch_directory.h"
#include "tests/support/source_path.h"

namespace pat {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

class OptionsFileTest : public testing::Test {
 protected:
  absl::StatusOr<GivenOptions> Load(const std::string& yaml) {
    return OptionsFromFile(scratch_.Write("patd.yaml", yaml));
  }
  Options Resolve(const std::string& yaml) {
    const absl::StatusOr<GivenOptions> given = Load(yaml);
    EXPECT_TRUE(given.ok()) << given.status();
    const absl::StatusOr<Options> options = ResolveOptions({}, {}, given.ok() ? *given : GivenOptions());
    EXPECT_TRUE(options.ok()) << options.status();
    return options.ok() ? *options : Options();
  }
  // The error, of reading or of judging, without the path of the file. One line.
  std::string ErrorOf(const std::string& yaml) {
    const absl::StatusOr<GivenOptions> given = Load(yaml);
    const absl::Status status = given.ok() ? ResolveOptions({}, {}, *given).status() : given.status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << yaml;
    const std::string message(status.message());
    const std::string path = scratch_.File("patd.yaml: ");
    EXPECT_THAT(message, StartsWith(path));
    EXPECT_EQ(std::count(message.begin(), message.end(), '\n'), 0) << message;
    return message.substr(std::min(message.size(), path.size()));
  }

  ScratchDirectory scratch_;
};

TEST_F(OptionsFileTest, HasAllOptionsAtOnce) {
  const Options options = Resolve(R"(# A comment.
listen:
  - 127.0.0.1:1
  - address: unix:/run/pat/pat.sock
    role: introspector
    mode: 0660
  - {address: "[::1]:2", plaintext: true}
  - {address: "[::1]:3", plaintext: false}
data-dir: /var/lib/pat
cache-ttl: 15m
negative-cache-ttl: 5s
cache-capacity: 5000
pepper-file: [/b, /a]
scope-catalog: /etc/scopes.tsv
audit-retention: 90d
audit-log: /var/log/audit.jsonl
issuer: "https://pat.example"
reflection: 'off'
log-format: json
log-level: warn
insecure-debug: true
)");
  EXPECT_EQ(ShowAll(options),
            "listen=127.0.0.1:1 unix:/run/pat/pat.sock(role 2) [::1]:2?plaintext [::1]:3\n"
            "health-listen=\nsidecar-listen=\nauthority=\nauthority-ca=\nauthority-name=\npropagation=0\ntls-cert="
            "\ntls-key=\ntls-client-ca=\nidentities=\nconnection-age=10m\naudit-retention=2160h\n"
            "audit-log=/var/log/audit.jsonl\nadmin=\npassword-file=\ndata-dir=/var/lib/pat\n"
            "cache-ttl=15m\nnegative-cache-ttl=5s\ncache-capacity=5000\npepper-file=/b /a\n"
            "scope-catalog=/etc/scopes.tsv\nissuer=https://pat.example\nreflection=2\nlog-format=2\nlog-level=warn\n"
            "insecure-debug=1\n");
  EXPECT_EQ(options.listen[1].mode, 0660);
}

TEST_F(OptionsFileTest, AListOfOneNeedsNoList) {
  EXPECT_EQ(Resolve("listen: 127.0.0.1:1\npepper-file: /p\n").listen.size(), 1);
  EXPECT_EQ(Resolve("listen: unix:/p?mode=0660\n").listen[0].mode, 0660);
}

// YAML's own words for on and off are texts here.
TEST_F(OptionsFileTest, OnAndOffNeedNoQuotes) {
  EXPECT_EQ(Resolve("reflection: off\n").reflection, Switch::kOff);
  EXPECT_EQ(Resolve("reflection: on\n").reflection, Switch::kOn);
}

TEST_F(OptionsFileTest, AnEmptyFileGivesNothing) {
  for (const char* yaml : {"", "\n", "# only a comment\n", "---\n", "~\n"}) {
    const absl::StatusOr<GivenOptions> given = Load(yaml);
    ASSERT_TRUE(given.ok()) << given.status();
    EXPECT_THAT(*given, IsEmpty());
  }
}

TEST_F(OptionsFileTest, AnUnknownKeyIsNamed) {
  for (const char* key : {"cache_ttl", "Cache-TTL", "cache-tl", "config", "users", "\"\""}) {
    const std::string error = ErrorOf(std::string("issuer: x\n") + key + ": 1h\n");
    EXPECT_THAT(error, HasSubstr("is no option; patd dev --help lists them")) << key;
  }
  EXPECT_EQ(ErrorOf("cache_ttl: 1h\n"), "\"cache_ttl\" is no option; patd dev --help lists them");
  EXPECT_THAT(ErrorOf("\"a\\nb\\e[2J\": 1h\n"), HasSubstr(R"("a\nb\x1b[2J")"));
}

TEST_F(OptionsFileTest, AKeyThatIsThereTwiceIsRefused) {
  EXPECT_EQ(ErrorOf("cache-ttl: 1h\nissuer: x\ncache-ttl: 2h\n"), "cache-ttl: is given twice; give it once");
}

TEST_F(OptionsFileTest, OnlyAMapIsOne) {
  for (const char* yaml : {"- cache-ttl\n", "cache-ttl\n", "[1, 2]\n", "42\n"}) {
    EXPECT_EQ(ErrorOf(yaml), "is not a map of options; give key: value") << yaml;
  }
}

TEST_F(OptionsFileTest, ASingleOptionTakesASingleValue) {
  EXPECT_EQ(ErrorOf("cache-ttl: [1h, 2h]\n"), "cache-ttl: \"[1h, 2h]\" is a list; give one value");
  EXPECT_EQ(ErrorOf("cache-ttl: {a: b}\n"), "cache-ttl: \"{a: b}\" is a map; give one value");
  for (const char* yaml : {"cache-ttl:\n", "cache-ttl: ~\n"}) {
    EXPECT_THAT(ErrorOf(yaml), StartsWith("cache-ttl: \"\" is wrong; give a duration")) << yaml;
  }
  EXPECT_EQ(ErrorOf("listen: {address: 127.0.0.1:1}\n"),
            "listen: \"{address: 127.0.0.1:1}\" is a map; give a list, each entry with a -");
}

TEST_F(OptionsFileTest, AnAddressIsJudgedAsThatOfAFlag) {
  EXPECT_THAT(ErrorOf("listen: [{address: 'unix:/p', role: admin}]\n"), HasSubstr("role=introspector"));
  EXPECT_THAT(ErrorOf("listen: [{address: 'unix:/p', mode: 660}]\n"),
              HasSubstr("has the mode \"660\", and takes four octal digits, 0660"));
  EXPECT_EQ(ErrorOf("listen: [{address: 'unix:/p', mode: 660, colour: red}]\n"),
            "listen[0]: \"colour\" is no key of an entry; give address, role, mode, plaintext");
  EXPECT_THAT(ErrorOf("listen: [{address: '0.0.0.0:1', plaintext: true}]\n"), HasSubstr("plaintext beyond loopback"));
  EXPECT_THAT(ErrorOf("listen: [{role: introspector}]\n"), StartsWith("listen[0]: has no address; give "));
  EXPECT_THAT(ErrorOf("listen: [127.0.0.1:1, '']\n"), StartsWith("listen[1]: \"\""));
  EXPECT_THAT(ErrorOf("listen: [{address: '127.0.0.1:1', role: portal}]\n"),
              HasSubstr("has the option \"role=portal\"; TCP has none but"));
  EXPECT_EQ(ErrorOf("listen:\n  - [127.0.0.1:1]\n"), "listen[0]: \"[127.0.0.1:1]\" is a list; give one value");
  EXPECT_EQ(ErrorOf("listen: [{address: '[::1]:1', plaintext: maybe}]\n"),
            "listen[0].plaintext: \"maybe\" is wrong; give true or false");
  EXPECT_EQ(ErrorOf("listen: [{address: 'unix:/p', mode: [0660]}]\n"),
            "listen[0].mode: \"[0660]\" is a list; give one value");
  EXPECT_EQ(Resolve("listen: [{address: 'unix:/p?role=user', mode: 0660}]\n").listen[0].mode, 0660);
}

TEST_F(OptionsFileTest, AnIdentityIsAMap) {
  const absl::StatusOr<GivenOptions> given = OptionsFromFile(scratch_.Write("patd.yaml", R"(
identities:
  - spiffe: spiffe://example.org/gateway
    role: introspector
    digests: true
  - {uri: "https://example.org/a,b", role: portal, users: [admin, ops]}
  - dns=laptop.example.org,role=user
)"),
                                                             Command::kAuthority);
  ASSERT_TRUE(given.ok()) << given.status();
  const absl::StatusOr<Options> options = ResolveOptions({}, {}, *given, Command::kAuthority);
  ASSERT_TRUE(options.ok()) << options.status();
  ASSERT_EQ(options->identities.size(), 3);
  EXPECT_EQ(options->identities[0].spiffe, "spiffe://example.org/gateway");
  EXPECT_TRUE(options->identities[0].digests);
  EXPECT_EQ(options->identities[1].uri, "https://example.org/a,b");
  EXPECT_THAT(options->identities[1].users, testing::ElementsAre("admin", "ops"));
  EXPECT_EQ(options->identities[2].dns, "laptop.example.org");
}

TEST_F(OptionsFileTest, AnIdentityThatIsWrongIsNamed) {
  const auto error_of = [this](const std::string& yaml) {
    const absl::StatusOr<GivenOptions> given = OptionsFromFile(scratch_.Write("patd.yaml", yaml), Command::kAuthority);
    const absl::Status status =
        given.ok() ? ResolveOptions({}, {}, *given, Command::kAuthority).status() : given.status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << yaml;
    return std::string(status.message());
  };
  EXPECT_THAT(error_of("identities: [{dns: a.example, rolle: user}]\n"), HasSubstr("\"rolle\" is no key of an entry"));
  EXPECT_THAT(error_of("identities: [{dns: a.example, role: user}, {dns: b.example, role: admin}]\n"),
              HasSubstr("identities[1].role: \"admin\" is no role"));
  EXPECT_THAT(error_of("identities: [{dns: a.example, role: user}, {dns: a.example, role: user}]\n"),
              HasSubstr("identities[1].dns"));
  EXPECT_THAT(error_of("identities: [{dns: a.example, role: user, digests: true}]\n"),
              HasSubstr("is for introspectors"));
}

// What is found wrong later is still said to be in the file.
TEST_F(OptionsFileTest, WhereAnOptionWasGivenIsKept) {
  const Options options = Resolve("listen: 127.0.0.1:1\n");
  EXPECT_EQ(WhereGiven(options, "listen"), scratch_.File("patd.yaml: listen"));
  EXPECT_EQ(WhereGiven(options, "identities"), "--identity");
}

// What is no YAML, or another kind of it than is needed, is shown with its line.
struct Faulty {
  std::string yaml;
  int line;
};

class FaultyFileTest : public OptionsFileTest, public testing::WithParamInterface<Faulty> {};

TEST_P(FaultyFileTest, IsRefusedWithItsLine) {
  EXPECT_THAT(ErrorOf(GetParam().yaml), StartsWith("line " + std::to_string(GetParam().line) + ": "));
}

INSTANTIATE_TEST_SUITE_P(Files, FaultyFileTest,
                         testing::Values(Faulty{"cache-ttl: 1h: 2h\n", 1}, Faulty{"issuer: x\n\tcache-ttl: 1h\n", 2},
                                         Faulty{"issuer: x\nlisten: [127.0.0.1:1\ncache-ttl: 1h\n", 3},
                                         Faulty{"issuer: \"\\q\"\n", 1}, Faulty{"issuer: *nobody\n", 1},
                                         Faulty{"issuer: x\n{a: b}: c\n", 2}));

// Whoever adds an option puts it into the example; whoever copies the example has a file that is right.
TEST(ExamplesTest, AreRightAndNameEveryOption) {
  const std::pair<Command, const char*> examples[] = {{Command::kDev, "deploy/examples/patd.yaml"},
                                                      {Command::kAuthority, "deploy/examples/authority.yaml"},
                                                      {Command::kSidecar, "deploy/examples/sidecar.yaml"}};
  for (const auto& [command, name] : examples) {
    const std::string path = SourcePath(name);
    const absl::StatusOr<GivenOptions> given = OptionsFromFile(path, command);
    ASSERT_TRUE(given.ok()) << given.status();
    const absl::StatusOr<Options> options = ResolveOptions({}, {}, *given, command);
    EXPECT_TRUE(options.ok()) << options.status();
    std::ifstream file(path);
    const std::string text(std::istreambuf_iterator<char>(file), {});
    for (const OptionDescription& description : OptionDescriptions(command)) {
      if (description.key == "insecure-debug") continue;  // Nothing to copy.
      EXPECT_THAT(text, HasSubstr(description.key + ":")) << name;
    }
  }
}

TEST_F(OptionsFileTest, AFileThatCannotBeReadIsRefused) {
  for (const std::string& path : {scratch_.File("missing.yaml"), scratch_.path(), std::string()}) {
    const absl::Status status = OptionsFromFile(path).status();
    EXPECT_EQ(status,
              absl::InvalidArgumentError("--config: " + path + " cannot be read; give the path of a YAML file"));
  }
}

}  // namespace
}  // namespace pat

// Options from the three layers: what each of them gives, which one wins, and what an error says. The layer of flags is
// taken through the real command line.
#include "server/ops/options.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/core/error.h"
#include "server/ops/command_line.h"
#include "tests/server/ops/options_for_tests.h"
#include "tests/server/ops/scratch_directory.h"

namespace pat {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAreArray;

using Strings = std::vector<std::string>;

// What ends with a null pointer, as main() gets it.
std::vector<const char*> Pointers(const Strings& strings) {
  std::vector<const char*> pointers;
  for (const std::string& text : strings) pointers.push_back(text.c_str());
  pointers.push_back(nullptr);
  return pointers;
}

GivenOptions Environment(const Strings& environment) { return OptionsFromEnvironment(Pointers(environment).data()); }

// A run with these: its options, or the line on standard error.
struct Outcome {
  int exit_code = 0;
  Options options;
  std::string error;
};

Outcome RunWith(const Strings& flags, const Strings& environment = {}, Command command = Command::kDev) {
  Strings arguments = {"patd", std::string(CommandName(command))};
  arguments.insert(arguments.end(), flags.begin(), flags.end());
  const std::vector<const char*> argv = Pointers(arguments);
  testing::internal::CaptureStderr();
  const CommandLine line =
      ParseCommandLine(static_cast<int>(arguments.size()), argv.data(), Pointers(environment).data());
  return {.exit_code = line.exit_code.value_or(0),
          .options = line.options,
          .error = testing::internal::GetCapturedStderr()};
}

// ---- Every option by every way.

TEST(OptionsTest, ThereIsACaseForEachOption) {
  Strings keys;
  Strings expected;
  for (const OptionDescription& description : OptionDescriptions()) {
    keys.push_back(description.key);
    EXPECT_FALSE(description.help.empty()) << description.key;
  }
  for (const OptionCase& option : AllOptionCases()) expected.push_back(option.key);
  EXPECT_THAT(keys, UnorderedElementsAreArray(expected));
}

TEST(OptionsTest, DefaultsAreThoseOfTheDocumentation) {
  const Outcome run = RunWith({});
  EXPECT_EQ(run.error, "");
  EXPECT_EQ(
      ShowAll(run.options),
      "listen=127.0.0.1:7443\nhealth-listen=\nsidecar-listen=127.0.0.1:7444\n"
      "authority=\nauthority-ca=\nauthority-name=\npropagation=0\ntls-cert=\ntls-key=\ntls-client-ca=\nidentities=\n"
      "connection-age=10m\naudit-retention=8760h\naudit-log=\nadmin=\npassword-file=\ndata-dir=\ncache-ttl="
      "1h\nnegative-cache-ttl=10s\ncache-capacity=1000000\n"
      "pepper-file=\nscope-catalog=\nissuer=pat-sidecar\nreflection=0\nlog-format=0\nlog-level=info\n"
      "insecure-debug=0\n");
}

class EachOptionTest : public testing::TestWithParam<OptionCase> {
 protected:
  const OptionCase& option() const { return GetParam(); }
  bool takes_value() const { return option().key != "insecure-debug"; }

  std::string flag() const { return "--" + (option().flag.empty() ? option().key : option().flag); }
  Strings Flag(const std::string& value) const { return takes_value() ? Strings{flag(), value} : Strings{flag()}; }
  Outcome Run(const Strings& flags, const Strings& environment = {}) const {
    return RunWith(flags, environment, option().command);
  }
  std::string File(const std::string& value) const {
    return scratch_.Write("patd.yaml", absl::StrCat(option().key, ": '", value, "'\n"));
  }

  // Exactly this option has another value than by default.
  void ExpectItWasTaken(const Outcome& run) const {
    EXPECT_EQ(run.exit_code, 0);
    EXPECT_EQ(run.error, "");
    EXPECT_EQ(option().show(run.options), option().shown);
    for (const OptionCase& other : AllOptionCases()) {
      // Who says where `patd dev` listens, says so of its sidecar too.
      if (other.key == option().key || (option().key == "listen" && other.key == "sidecar-listen")) continue;
      EXPECT_EQ(other.show(run.options), other.show(Run({}).options)) << other.key;
    }
  }
  // One line, with where, the value and what would be right.
  void ExpectRefused(const Outcome& run, const std::string& where, const std::string& value) const {
    EXPECT_EQ(run.exit_code, 2) << value;
    EXPECT_THAT(run.error, StartsWith(absl::StrCat("patd: ", where, ": "))) << value;
    EXPECT_THAT(run.error, HasSubstr(Quoted(value)));
    EXPECT_THAT(run.error, HasSubstr(option().right)) << value;
    EXPECT_EQ(std::count(run.error.begin(), run.error.end(), '\n'), 1) << run.error;
  }

  ScratchDirectory scratch_;
};

TEST_P(EachOptionTest, IsAFlag) {
  ExpectItWasTaken(Run(Flag(option().value)));
  if (takes_value()) ExpectItWasTaken(Run({absl::StrCat(flag(), "=", option().value)}));
}

TEST_P(EachOptionTest, IsInTheEnvironment) {
  ExpectItWasTaken(Run({}, {absl::StrCat(option().environment, "=", option().value)}));
}

TEST_P(EachOptionTest, IsInTheFile) { ExpectItWasTaken(Run({"--config", File(option().value)})); }

TEST_P(EachOptionTest, ABadValueIsRefusedFromEverywhere) {
  for (const std::string& bad : option().bad) {
    if (takes_value()) {
      ExpectRefused(Run({absl::StrCat(flag(), "=", bad)}), flag(), bad);
    }
    // Lists in the environment are separated by commas, so that an empty one is a list of none.
    ExpectRefused(Run({}, {absl::StrCat(option().environment, "=", bad)}), option().environment, bad);
    const std::string file = File(bad);
    ExpectRefused(Run({"--config", file}), absl::StrCat(file, ": ", option().key), bad);
  }
}

TEST_P(EachOptionTest, AFlagBeatsTheEnvironmentWhichBeatsTheFile) {
  const std::string file = File(option().value);
  const std::string& other = option().other;
  const std::string shown_other = option().show(Run({}, {absl::StrCat(option().environment, "=", other)}).options);
  ASSERT_NE(shown_other, option().shown);
  EXPECT_EQ(option().show(Run({"--config", file}, {absl::StrCat(option().environment, "=", other)}).options),
            shown_other);
  Strings flags = Flag(option().value);
  flags.insert(flags.end(), {"--config", File(other)});
  EXPECT_EQ(option().show(Run(flags, {absl::StrCat(option().environment, "=", other)}).options), option().shown);
  // Also over a lower layer that is wrong: what is not used is not judged.
  EXPECT_EQ(option().show(Run(Flag(option().value), {option().environment + "=?"}).options), option().shown);
}

INSTANTIATE_TEST_SUITE_P(Options, EachOptionTest, testing::ValuesIn(AllOptionCases()),
                         [](const testing::TestParamInfo<OptionCase>& option) {
                           std::string name = option.param.key;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

// ---- Options that may be repeated.

Strings Listening(const Options& options) {
  Strings texts;
  for (const ListenAddress& address : options.listen) texts.push_back(address.ToString());
  return texts;
}

TEST(RepeatedOptionTest, FlagsAddUpInTheirOrder) {
  const Outcome run = RunWith(
      {"--listen", "127.0.0.1:1", "--pepper-file", "/b", "--listen=unix:/p?role=introspector", "--pepper-file", "/a"});
  EXPECT_THAT(Listening(run.options), ElementsAre("127.0.0.1:1", "unix:/p"));
  EXPECT_EQ(run.options.listen[1].role, ListenerRole::kIntrospector);
  EXPECT_THAT(run.options.pepper_files, ElementsAre("/b", "/a"));
}

TEST(RepeatedOptionTest, TheEnvironmentSeparatesByCommas) {
  const Outcome run =
      RunWith({}, {"PATD_LISTEN=127.0.0.1:1,[::1]:2,unix:/p?mode=0660&role=introspector,", "PATD_PEPPER_FILE=/b,/a"});
  EXPECT_THAT(Listening(run.options), ElementsAre("127.0.0.1:1", "[::1]:2", "unix:/p"));
  EXPECT_EQ(run.options.listen[2].mode, 0660);
  EXPECT_THAT(run.options.pepper_files, ElementsAre("/b", "/a"));
}

// A layer gives the whole list: no mixing of addresses from two places.
TEST(RepeatedOptionTest, AHigherLayerReplacesTheWholeList) {
  const Outcome run = RunWith({"--listen", "127.0.0.1:1"}, {"PATD_LISTEN=127.0.0.1:2,127.0.0.1:3"});
  EXPECT_THAT(Listening(run.options), ElementsAre("127.0.0.1:1"));
}

TEST(RepeatedOptionTest, OneBadItemIsNamed) {
  const Outcome run = RunWith({}, {"PATD_LISTEN=127.0.0.1:1,nonsense,127.0.0.1:2"});
  EXPECT_EQ(run.exit_code, 2);
  EXPECT_THAT(run.error, AllOf(StartsWith("patd: PATD_LISTEN: "), HasSubstr("\"nonsense\"")));
}

TEST(RepeatedOptionTest, OthersMayNotBeRepeated) {
  const Outcome run = RunWith({"--cache-ttl", "1h", "--cache-ttl", "2h"});
  EXPECT_EQ(run.exit_code, 2);
  EXPECT_THAT(run.error, HasSubstr("--cache-ttl"));
}

// ---- The environment.

TEST(OptionsFromEnvironmentTest, NamesThatAreNoOptionAreLeftAlone) {
  EXPECT_THAT(
      Environment({"PATD_SERVICE_HOST=10.0.0.1", "PATD_PORT=tcp://10.0.0.1:7443", "PATD_=x", "PATD=x", "CACHE_TTL=1h",
                   "patd_cache_ttl=1h", "PATD_CACHE-TTL=1h", "PATD_CACHE_TTL_X=1h", "XPATD_CACHE_TTL=1h", "=", ""}),
      IsEmpty());
}

TEST(OptionsFromEnvironmentTest, AValueMayHaveEqualSigns) {
  const GivenOptions given = Environment({"PATD_ISSUER=a=b=c"});
  ASSERT_EQ(given.size(), 1);
  EXPECT_EQ(given.at("issuer").where, "PATD_ISSUER");
  EXPECT_THAT(given.at("issuer").values, ElementsAre("a=b=c"));
}

TEST(OptionsFromEnvironmentTest, ANameWithoutAValueIsAnEmptyValue) {
  EXPECT_THAT(Environment({"PATD_ISSUER"}).at("issuer").values, ElementsAre(""));
}

// ---- The command line besides.

TEST(CommandLineTest, WhatIsNoFlagEndsTheStartWithOneLine) {
  for (const Strings& flags :
       {Strings{"--no-such-flag"}, Strings{"--cache-tt", "1h"}, Strings{"surplus"}, Strings{"-x"}}) {
    const Outcome run = RunWith(flags);
    EXPECT_EQ(run.exit_code, 2) << flags[0];
    EXPECT_THAT(run.error, MatchesRegex("patd: .*patd dev --help.*\n")) << flags[0];
    EXPECT_EQ(std::count(run.error.begin(), run.error.end(), '\n'), 1) << run.error;
  }
}

TEST(CommandLineTest, AFlagWithoutAValueIsAnEmptyValueAndOneTooManyIsNamed) {
  EXPECT_THAT(RunWith({"--cache-ttl"}).error, StartsWith("patd: --cache-ttl: \"\" is wrong; give a duration"));
  EXPECT_EQ(RunWith({"--cache-ttl", "1h", "--cache-ttl", "2h"}).error,
            "patd: --cache-ttl: is given twice; give it once\n");
}

TEST(CommandLineTest, ASubcommandIsNeeded) {
  for (const Strings& arguments : {Strings{"patd"}, Strings{"patd", "no-such-command"}}) {
    const std::vector<const char*> argv = Pointers(arguments);
    testing::internal::CaptureStderr();
    const CommandLine line =
        ParseCommandLine(static_cast<int>(arguments.size()), argv.data(), Pointers(Strings{}).data());
    EXPECT_THAT(testing::internal::GetCapturedStderr(), StartsWith("patd: "));
    EXPECT_EQ(line.exit_code, 2);
  }
}

constexpr Command kAllCommands[] = {Command::kDev, Command::kAuthority, Command::kSidecar, Command::kInit,
                                    Command::kHealthcheck};

TEST(CommandLineTest, HelpNamesEveryOptionAndEndsWell) {
  for (const Command command : kAllCommands) {
    testing::internal::CaptureStdout();
    const Outcome run = RunWith({"--help"}, {}, command);
    const std::string help = testing::internal::GetCapturedStdout();
    EXPECT_EQ(run.error, "");
    for (const OptionDescription& description : OptionDescriptions(command)) {
      EXPECT_THAT(help, HasSubstr("--" + (description.flag.empty() ? description.key : description.flag)));
    }
    EXPECT_THAT(help, HasSubstr("PATD_CACHE_TTL"));
    EXPECT_THAT(help, HasSubstr("Exit status: 0"));
  }
}

TEST(CommandLineTest, HelpSaysWhereEachListensByDefault) {
  for (const Command command : {Command::kDev, Command::kAuthority, Command::kSidecar, Command::kHealthcheck}) {
    for (const OptionDescription& description : OptionDescriptions(command)) {
      if (description.key != "listen") continue;
      EXPECT_THAT(description.help,
                  EndsWith(command == Command::kSidecar ? "; must be given" : "; default 127.0.0.1:7443"));
    }
  }
}

// ---- Which options a command has.

TEST(CommandsTest, AFlagOfAnotherCommandIsNoFlag) {
  const std::pair<Command, Strings> wrong[] = {
      {Command::kDev, {"--tls-cert", "/c"}},         {Command::kDev, {"--admin", "root"}},
      {Command::kAuthority, {"--admin", "root"}},    {Command::kAuthority, {"--password-file", "-"}},
      {Command::kInit, {"--listen", "127.0.0.1:1"}}, {Command::kInit, {"--cache-ttl", "1h"}},
      {Command::kHealthcheck, {"--data-dir", "/d"}}, {Command::kSidecar, {"--data-dir", "/d"}},
      {Command::kSidecar, {"--pepper-file", "/p"}},  {Command::kAuthority, {"--propagation", "push"}},
      {Command::kDev, {"--authority", "a:1"}},       {Command::kAuthority, {"--sidecar-listen", "127.0.0.1:1"}}};
  for (const auto& [command, flags] : wrong) {
    const Outcome run = RunWith(flags, {}, command);
    EXPECT_EQ(run.exit_code, 2) << flags[0];
    EXPECT_THAT(run.error, AllOf(StartsWith("patd: "), HasSubstr(flags[0]))) << flags[0];
    EXPECT_EQ(std::count(run.error.begin(), run.error.end(), '\n'), 1) << run.error;
  }
}

TEST(CommandsTest, EveryOptionIsOneOfSomeCommand) {
  Strings keys;
  for (const Command command : kAllCommands) {
    for (const OptionDescription& description : OptionDescriptions(command)) keys.push_back(description.key);
  }
  for (const OptionDescription& description : OptionDescriptions()) {
    EXPECT_NE(std::find(keys.begin(), keys.end(), description.key), keys.end()) << description.key;
  }
}

// One file and one environment for a container that runs several commands.
TEST(CommandsTest, InitAndHealthcheckTakeWhatTheyNeedFromTheFileOfTheServer) {
  const ScratchDirectory scratch;
  const std::string file = scratch.Write(
      "patd.yaml", "data-dir: /data\ntls-cert: /c\ncache-ttl: 1h\nhealth-listen: 0.0.0.0:8080\nlisten: 0.0.0.0:7443\n");
  const Outcome init = RunWith({"--config", file, "--admin", "root"}, {"PATD_CACHE_TTL=nonsense"}, Command::kInit);
  EXPECT_EQ(init.error, "");
  EXPECT_EQ(init.options.data_dir, "/data");
  EXPECT_EQ(init.options.tls_cert, "");
  const Outcome health = RunWith({"--config", file}, {}, Command::kHealthcheck);
  EXPECT_EQ(health.error, "");
  EXPECT_EQ(health.options.health_listen->port, 8080);
  EXPECT_EQ(RunWith({"--config", file}, {}, Command::kDev).error,
            "patd: " + file +
                ": \"tls-cert\" is no option of patd dev; it is one of patd authority, patd sidecar; "
                "patd dev --help lists them\n");
}

TEST(CommandsTest, WhereTheyListenByDefault) {
  const Outcome dev = RunWith({});
  ASSERT_TRUE(dev.options.sidecar_listen.has_value());
  EXPECT_EQ(dev.options.sidecar_listen->ToString(), "127.0.0.1:7444");
  EXPECT_EQ(dev.options.propagation, Propagation::kTtl);
  EXPECT_FALSE(RunWith({"--listen", "127.0.0.1:1"}).options.sidecar_listen.has_value());
  const Outcome sidecar = RunWith({"--authority", "a:1", "--authority", "b:2"}, {}, Command::kSidecar);
  EXPECT_THAT(sidecar.options.listen, IsEmpty());
  EXPECT_THAT(sidecar.options.authorities, ElementsAre("a:1", "b:2"));
}

TEST(CommandsTest, AServerOverlooksVariablesOfOthers) {
  EXPECT_EQ(RunWith({}, {"PATD_TLS_CERT=/c", "PATD_ADMIN=NOBODY"}, Command::kDev).error, "");
}

// A value that comes from outside cannot write lines of its own.
TEST(CommandLineTest, AnErrorIsOneLineWhateverTheValue) {
  const Outcome run = RunWith({}, {"PATD_CACHE_TTL=1h\npatd: all is well\x1b[2J"});
  EXPECT_EQ(run.exit_code, 2);
  EXPECT_EQ(std::count(run.error.begin(), run.error.end(), '\n'), 1) << run.error;
  EXPECT_THAT(run.error, Not(HasSubstr("\x1b")));
}

}  // namespace
}  // namespace pat

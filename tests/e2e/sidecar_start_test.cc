// How `patd sidecar` starts: what it refuses, and where it listens.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "tests/e2e/client.h"
#include "tests/e2e/patd.h"
#include "tests/e2e/test_directory.h"

namespace pat {
namespace {

using ::grpc::StatusCode;
using ::testing::HasSubstr;

TEST(SidecarStartTest, WhatIsWrongIsSaidInOneLine) {
  const TestDirectory directory;
  const std::string socket = "unix:" + directory / "s.sock";
  const std::pair<std::vector<std::string>, const char*> cases[] = {
      {{"--listen", socket}, "--authority: is missing"},
      {{"--authority", "127.0.0.1:1?plaintext"}, "--listen: is missing"},
      {{"--listen", socket, "--authority", "127.0.0.1:1"}, "--tls-cert: is missing"},
      {{"--listen", socket, "--authority", "10.0.0.7:1?plaintext"}, "an address on loopback"},
      {{"--listen", socket, "--authority", "x"}, "is no address of an authority"},
      {{"--listen", socket + "?role=portal", "--authority", "127.0.0.1:1?plaintext"}, "give role=introspector"},
      {{"--listen", "127.0.0.1:0", "--authority", "127.0.0.1:1?plaintext"}, "TCP is mutual TLS"},
      {{"--listen", socket, "--authority", "127.0.0.1:1?plaintext", "--identity", "dns=a.example,role=user"},
       "give role=introspector"},
      {{"--listen", socket, "--authority", "127.0.0.1:1?plaintext", "--propagation", "pull"}, "ttl or push"},
  };
  for (const auto& [arguments, says] : cases) {
    SCOPED_TRACE(says);
    ExpectRefusedStart(RunToItsEnd(PatdCommand("sidecar", arguments)), says);
  }
}

TEST(SidecarStartTest, AStaleSocketIsReplacedALiveOneIsNot) {
  const TestDirectory directory;
  const std::vector<std::string> arguments = {"--listen", "unix:" + directory / "s.sock", "--authority",
                                              "127.0.0.1:1?plaintext"};
  {
    Patd first(PatdCommand("sidecar", arguments));
    ExpectRefusedStart(RunToItsEnd(PatdCommand("sidecar", arguments)), "s.sock");
    first.process().Signal(SIGKILL);
    first.process().Wait();
  }
  ASSERT_TRUE(std::filesystem::exists(directory / "s.sock"));
  Patd second(PatdCommand("sidecar", arguments));
  EXPECT_EQ(
      second.client().Call(&IntrospectionStub::Introspect, Nobody(), QuestionFor("malformed")).status.error_code(),
      StatusCode::OK);
}

TEST(SidecarStartTest, SaysWhatEachListenerIs) {
  const TestDirectory directory;
  const std::string open = "unix:" + directory / "open.sock";
  Patd sidecar(
      PatdCommand("sidecar", {"--listen", "127.0.0.1:0?plaintext&role=introspector", "--listen", open + "?mode=0666",
                              "--health-listen", "127.0.0.1:0", "--authority", "127.0.0.1:1?plaintext"}));
  const std::string output = sidecar.process().standard_output();
  EXPECT_THAT(output, HasSubstr("Listening on " + sidecar.address() + " (plaintext, role introspector)\n"));
  EXPECT_THAT(output, HasSubstr("Listening on " + open + " (Unix socket, role introspector, mode 0666)\n"));
  EXPECT_THAT(output, HasSubstr(" (health only, plaintext)\n"));
  sidecar.process().Signal(SIGTERM);
  sidecar.process().Wait();
  EXPECT_THAT(sidecar.process().standard_error(), HasSubstr("open.sock: the mode lets every user"));
}

TEST(SidecarStartTest, PlaintextOnLoopbackHasItsRoleOnlyIfAsked) {
  Patd sidecar(PatdCommand("sidecar", {"--listen", "127.0.0.1:0?plaintext&role=introspector", "--listen",
                                       "127.0.0.1:0?plaintext", "--authority", "127.0.0.1:1?plaintext"}));
  EXPECT_TRUE(sidecar.client().Call(&IntrospectionStub::Introspect, Nobody(), QuestionFor("malformed")).status.ok());
  Client without(sidecar.addresses().back());
  EXPECT_EQ(without.Call(&IntrospectionStub::Introspect, Nobody(), QuestionFor("malformed")).status.error_code(),
            StatusCode::UNAUTHENTICATED);
}

}  // namespace
}  // namespace pat

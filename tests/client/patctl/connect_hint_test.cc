// What gRPC's texts mean. With real servers: tls_test.cc.
#include "client/patctl/connect_hint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "tests/client/manual_clock.h"

namespace pat::patctl {
namespace {

using ::testing::HasSubstr;

constexpr char kClosed[] =
    "failed to connect to all addresses; last error: UNAVAILABLE: ipv4:127.0.0.1:1: Socket closed";

ConnectHint For(const std::string& message, const GlobalOptions& options) {
  return HintFor(message, options, std::nullopt, client::ManualClock::Start());
}

TEST(ConnectHintTest, TellsWhereNobodyIs) {
  GlobalOptions options;
  options.server = "unix:/run/pat.sock";
  EXPECT_EQ(For("last error: UNKNOWN: unix:/run/pat.sock: No such file or directory", options).cause,
            "nobody listens at unix:/run/pat.sock");
  EXPECT_EQ(For("last error: UNKNOWN: connect: Permission denied", options).cause,
            "you may not use unix:/run/pat.sock");
  options.server = "pat.example:7443";
  EXPECT_EQ(For("DNS resolution failed for pat.example:7443: Domain name not found", options).cause,
            "the host of pat.example:7443 has no address");
  EXPECT_EQ(For("connect: Network is unreachable", options).cause, "there is no way to pat.example:7443");
}

TEST(ConnectHintTest, AConnectionThatIsBrokenOffMeansWhatWasTried) {
  GlobalOptions options;
  EXPECT_THAT(For(kClosed, options).cause, HasSubstr("it seems to speak TLS"));
  options.tls = true;
  EXPECT_THAT(For(kClosed, options).cause, HasSubstr("it seems to want a client certificate"));
  options.tls_cert = "/nonexistent";
  EXPECT_THAT(For(kClosed, options).cause, HasSubstr("it seems not to accept this client's certificate"));
  options = {};
  options.server = "unix:/run/pat.sock";  // There is no TLS.
  EXPECT_EQ(For(kClosed, options).cause, "");
  // A call that was under way has another reason.
  options = {};
  EXPECT_EQ(For("Socket closed", options).cause, "");
}

TEST(ConnectHintTest, WhatIsNotRecognisedGetsAHintAllTheSame) {
  const ConnectHint hint = For("flux compensator", {});
  EXPECT_EQ(hint.cause, "");
  EXPECT_THAT(hint.hint, HasSubstr("no server answers at 127.0.0.1:7443: does it run"));
}

TEST(ConnectHintTest, TlsIsUsedIfAnyOfItsOptionsIsThere) {
  GlobalOptions options;
  EXPECT_FALSE(UsesTls(options));
  options.tls_server_name = "localhost";
  EXPECT_TRUE(UsesTls(options));
  options.tls = false;
  EXPECT_FALSE(UsesTls(options));
}

TEST(ConnectHintTest, OnlyACertificateIsWorthLookingAt) {
  EXPECT_TRUE(IsAboutServerCertificate("error:0A000086:SSL routines::certificate verify failed"));
  EXPECT_TRUE(IsAboutServerCertificate("Peer name 127.0.0.1 is not in peer certificate"));
  EXPECT_FALSE(IsAboutServerCertificate(kClosed));
}

}  // namespace
}  // namespace pat::patctl

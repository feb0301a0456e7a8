#include "server/ops/listen_address.h"

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace pat {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

ListenAddress Parse(const std::string& text) {
  const absl::StatusOr<ListenAddress> address = ParseListenAddress(text);
  EXPECT_TRUE(address.ok()) << address.status();
  return address.ok() ? *address : ListenAddress();
}

std::string ErrorOf(const std::string& text) {
  const absl::StatusOr<ListenAddress> address = ParseListenAddress(text);
  EXPECT_EQ(address.status().code(), absl::StatusCode::kInvalidArgument) << absl::CHexEscape(text);
  return std::string(address.status().message());
}

// ---- TCP.

struct Tcp {
  std::string text;
  std::string host;
  uint16_t port;
  bool loopback;
};

class TcpAddressTest : public testing::TestWithParam<Tcp> {};

TEST_P(TcpAddressTest, IsTakenApart) {
  const ListenAddress address = Parse(GetParam().text);
  EXPECT_FALSE(address.is_unix);
  EXPECT_FALSE(address.role.has_value());
  EXPECT_EQ(address.host, GetParam().host);
  EXPECT_EQ(address.port, GetParam().port);
  EXPECT_EQ(address.IsLoopback(), GetParam().loopback);
  // What is shown can be given back.
  const ListenAddress again = Parse(address.ToString());
  EXPECT_EQ(again.host, address.host);
  EXPECT_EQ(again.port, address.port);
}

INSTANTIATE_TEST_SUITE_P(
    Forms, TcpAddressTest,
    testing::Values(Tcp{"127.0.0.1:7443", "127.0.0.1", 7443, true},
                    Tcp{"127.255.255.254:1", "127.255.255.254", 1, true}, Tcp{"[::1]:7443", "::1", 7443, true},
                    Tcp{"[0:0:0:0:0:0:0:1]:7443", "0:0:0:0:0:0:0:1", 7443, true},
                    Tcp{"127.0.0.1:0", "127.0.0.1", 0, true}, Tcp{"127.0.0.1:65535", "127.0.0.1", 65535, true},
                    Tcp{"127.0.0.1:7443?plaintext", "127.0.0.1", 7443, true},
                    Tcp{"[::1]:7443?plaintext", "::1", 7443, true}, Tcp{"0.0.0.0:7443", "0.0.0.0", 7443, false},
                    Tcp{"[::]:7443", "::", 7443, false}, Tcp{"192.0.2.1:80", "192.0.2.1", 80, false},
                    Tcp{"128.0.0.1:80", "128.0.0.1", 80, false},
                    Tcp{"126.255.255.255:80", "126.255.255.255", 80, false},
                    Tcp{"[2001:db8::1]:80", "2001:db8::1", 80, false}, Tcp{"[::2]:80", "::2", 80, false},
                    // Not loopback for the kernel's IPv6 sockets on every machine; erring this way is safe.
                    Tcp{"[::ffff:127.0.0.1]:80", "::ffff:127.0.0.1", 80, false}));

TEST(ListenAddressTest, IsShownAsItIsGiven) {
  for (const char* text : {"127.0.0.1:7443", "[::1]:7443", "0.0.0.0:0", "unix:/run/pat/pat.sock"}) {
    EXPECT_EQ(Parse(text).ToString(), text);
  }
  EXPECT_EQ(Parse("[::1]:7443?plaintext").ToString(), "[::1]:7443");
  EXPECT_EQ(Parse("unix:/p?mode=0660").ToString(), "unix:/p");
}

TEST(ListenAddressTest, SaysWhatItIs) {
  EXPECT_EQ(Parse("0.0.0.0:7443").About(), "mutual TLS");
  EXPECT_EQ(Parse("127.0.0.1:7443?plaintext").About(), "plaintext");
  EXPECT_EQ(Parse("127.0.0.1:7443?plaintext&role=introspector").About(), "plaintext, role introspector");
  EXPECT_EQ(Parse("unix:/p?role=user&mode=0660").About(), "Unix socket, role user, mode 0660");
  EXPECT_EQ(Parse("unix:/p").About(), "Unix socket, mode 0600");
}

TEST(ListenAddressTest, PlaintextIsSaid) {
  EXPECT_TRUE(Parse("127.0.0.1:7443?plaintext").plaintext);
  EXPECT_FALSE(Parse("127.0.0.1:7443").plaintext);
  for (const char* text : {"127.0.0.1:1?plaintext&role=introspector", "127.0.0.1:1?role=introspector&plaintext"}) {
    EXPECT_TRUE(Parse(text).plaintext) << text;
    EXPECT_EQ(Parse(text).role, ListenerRole::kIntrospector) << text;
  }
}

TEST(PlaintextAddressTest, IsAnyAddressButNoUnixSocket) {
  for (const char* text : {"0.0.0.0:8080", "[::]:8080", "127.0.0.1:0"}) {
    const absl::StatusOr<ListenAddress> address = ParsePlaintextAddress(text);
    ASSERT_TRUE(address.ok()) << address.status();
    EXPECT_EQ(address->ToString(), text);
    EXPECT_TRUE(address->plaintext);
  }
  for (const char* text : {"unix:/p", "127.0.0.1:80?plaintext", "8080", ""}) {
    EXPECT_EQ(ParsePlaintextAddress(text).status().code(), absl::StatusCode::kInvalidArgument) << text;
  }
}

// ---- Unix sockets.

TEST(ListenAddressTest, AUnixSocketIsForItsOwnerUnlessSaid) {
  const ListenAddress address = Parse("unix:/run/pat/pat.sock");
  EXPECT_TRUE(address.is_unix);
  EXPECT_EQ(address.path, "/run/pat/pat.sock");
  EXPECT_EQ(address.mode, 0600);
  EXPECT_FALSE(address.role.has_value());
  EXPECT_FALSE(address.IsLoopback());
}

TEST(ListenAddressTest, AUnixSocketTakesModeAndRoleInAnyOrder) {
  for (const char* text : {"unix:/p?role=introspector&mode=0660", "unix:/p?mode=0660&role=introspector"}) {
    const ListenAddress address = Parse(text);
    EXPECT_EQ(address.path, "/p");
    EXPECT_EQ(address.mode, 0660) << text;
    EXPECT_EQ(address.role, ListenerRole::kIntrospector) << text;
  }
  EXPECT_EQ(Parse("unix:/p?role=portal").role, ListenerRole::kPortal);
  EXPECT_EQ(Parse("unix:/p?role=user").role, ListenerRole::kUser);
  EXPECT_EQ(Parse("unix:/p?mode=0777").mode, 0777);
  EXPECT_EQ(Parse("unix:/p?mode=0000").mode, 0);
  EXPECT_EQ(Parse("unix:/p?").mode, 0600);
}

TEST(ListenAddressTest, APathMustFitIntoTheKernelsStructure) {
  const std::string longest = absl::StrCat("unix:/", std::string(94, 'x'));
  EXPECT_EQ(Parse(longest).path.size(), 95);
  EXPECT_THAT(ErrorOf(longest + "x"), HasSubstr("over 95 bytes"));
}

// ---- Errors.

TEST(ListenAddressTest, WhatIsWrongIsNamedTogetherWithWhatIsRight) {
  for (const std::string& text : std::vector<std::string>{
           "",
           "7443",
           ":7443",
           "127.0.0.1",
           "127.0.0.1:",
           "127.0.0.1:65536",
           "127.0.0.1:-1",
           "127.0.0.1:99999999999",
           "127.0.0.1:0x50",
           "127.0.0.1:http",
           "127.0.0.1:80/",
           "127.0.0.1:80?",
           "127.0.0.1:80?mode=0660",
           "127.0.0.1:80?plaintext?plaintext",
           "127.0.0.1:80?role=introspector",
           "127.0.0.1:80?plaintext&role=portal",
           "10.0.0.7:80?plaintext&role=introspector",
           "127.1:80",
           "127.0.0.01:80",
           "256.0.0.1:80",
           "localhost:7443",
           "example.com:7443",
           "*:7443",
           "::1:7443",
           "[::1]",
           "[::1:7443",
           "::1]:7443",
           "[127.0.0.1]:7443",
           "[fe80::1%eth0]:7443",
           "[]:7443",
           "http://127.0.0.1:7443",
           "127.0.0.1:7443,127.0.0.1:7444",
           "0.0.0.0:7443?plaintext",
           "[::]:7443?plaintext",
           "unix:",
           "unix:pat.sock",
           "unix:./pat.sock",
           "unix:@abstract",
           "UNIX:/p",
           "unix:/p?mode=660",
           "unix:/p?mode=0668",
           "unix:/p?mode=00660",
           "unix:/p?mode=1777",
           "unix:/p?mode=rw--",
           "unix:/p?mode=",
           "unix:/p?mode",
           "unix:/p?role=admin",
           "unix:/p?role=",
           "unix:/p?plaintext",
           "unix:/p?role=introspector?mode=0660",
           "unix:/p?x=y",
           std::string("127.0.0.1:80\0", 13),
           "127.0.0.1:80\n",
       }) {
    const std::string error = ErrorOf(text);
    EXPECT_THAT(error, HasSubstr("\"")) << text;
    EXPECT_THAT(error, HasSubstr("give for example 127.0.0.1:7443, [::1]:7443 or unix:/run/pat/pat.sock")) << text;
    EXPECT_THAT(error, Not(HasSubstr("\n"))) << text;
    EXPECT_LT(error.size(), 400) << text;
  }
  EXPECT_THAT(ErrorOf("localhost:7443"), HasSubstr(R"("localhost:7443" is not a numeric address)"));
  EXPECT_THAT(ErrorOf("0.0.0.0:80?plaintext"), HasSubstr("plaintext beyond loopback"));
  EXPECT_THAT(ErrorOf("unix:/p?role=admin"), HasSubstr(R"("role=admin"; a Unix socket has role=introspector)"));
  EXPECT_LT(ErrorOf(std::string(100'000, 'x')).size(), 400);
}

// A port is digits: what looks like two addresses or a typing error is no port.
TEST(ListenAddressTest, APortHasNoSpacesOrSigns) {
  for (const char* text : {"127.0.0.1: 80", "127.0.0.1:80 ", "127.0.0.1:+80", "[::1]:\t80"}) ErrorOf(text);
}

}  // namespace
}  // namespace pat

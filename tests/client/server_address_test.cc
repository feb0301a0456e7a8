#include "client/server_address.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace pat::client {
namespace {

using ::testing::HasSubstr;

struct Good {
  std::string text;
  std::string target;
  std::string host;
  bool local;
};

class GoodAddress : public ::testing::TestWithParam<Good> {};

TEST_P(GoodAddress, IsParsed) {
  const auto address = ServerAddress::Parse(GetParam().text);
  ASSERT_TRUE(address.ok()) << address.status();
  EXPECT_EQ(address->text(), GetParam().text);
  EXPECT_EQ(address->target(), GetParam().target);
  EXPECT_EQ(address->host(), GetParam().host);
  EXPECT_EQ(address->is_local(), GetParam().local);
}

INSTANTIATE_TEST_SUITE_P(
    All, GoodAddress,
    ::testing::Values(Good{"127.0.0.1:7443", "ipv4:127.0.0.1:7443", "127.0.0.1", true},
                      Good{"127.255.0.9:1", "ipv4:127.255.0.9:1", "127.255.0.9", true},
                      Good{"128.0.0.1:65535", "ipv4:128.0.0.1:65535", "128.0.0.1", false},
                      // Reaches this machine, but a firewall rule or a container's network may say otherwise.
                      Good{"0.0.0.0:7443", "ipv4:0.0.0.0:7443", "0.0.0.0", false},
                      Good{"[::1]:7443", "ipv6:%5B::1%5D:7443", "::1", true},
                      Good{"[0:0:0:0:0:0:0:1]:7443", "ipv6:%5B0:0:0:0:0:0:0:1%5D:7443", "0:0:0:0:0:0:0:1", true},
                      Good{"[2001:db8::1]:7443", "ipv6:%5B2001:db8::1%5D:7443", "2001:db8::1", false},
                      Good{"localhost:7443", "ipv4:127.0.0.1:7443", "localhost", true},
                      Good{"LocalHost:7443", "ipv4:127.0.0.1:7443", "localhost", true},
                      // Names that look like loopback are judged by whoever resolves them, so they are not.
                      Good{"localhost.example.com:7443", "dns:///localhost.example.com:7443", "localhost.example.com",
                           false},
                      Good{"127.1:7443", "dns:///127.1:7443", "127.1", false},
                      Good{"pat.example.com:7443", "dns:///pat.example.com:7443", "pat.example.com", false},
                      Good{"pat_1:7443", "dns:///pat_1:7443", "pat_1", false},
                      Good{"unix:/run/pat/pat.sock", "unix:/run/pat/pat.sock", "localhost", true},
                      Good{"unix:///run/pat/pat.sock", "unix:/run/pat/pat.sock", "localhost", true},
                      Good{"unix:pat.sock", "unix:pat.sock", "localhost", true},
                      Good{"unix:/run/my pat#1?.sock", "unix:/run/my%20pat%231%3F.sock", "localhost", true}));

struct Bad {
  std::string text;
  std::string complaint;
};

class BadAddress : public ::testing::TestWithParam<Bad> {};

TEST_P(BadAddress, IsRefusedWithWhatWouldBeRight) {
  const auto address = ServerAddress::Parse(GetParam().text);
  ASSERT_FALSE(address.ok());
  EXPECT_EQ(address.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(address.status().message()), HasSubstr("\"" + GetParam().text + "\": "));
  EXPECT_THAT(std::string(address.status().message()), HasSubstr(GetParam().complaint));
  EXPECT_THAT(std::string(address.status().message()), HasSubstr("HOST:PORT, [IPV6]:PORT or unix:PATH"));
}

INSTANTIATE_TEST_SUITE_P(
    All, BadAddress,
    ::testing::Values(Bad{"", "port is missing"}, Bad{"localhost", "port is missing"}, Bad{"[::1]", "port is missing"},
                      Bad{"127.0.0.1:", "1 to 65535"}, Bad{"127.0.0.1:0", "1 to 65535"},
                      Bad{"127.0.0.1:65536", "1 to 65535"}, Bad{"127.0.0.1:+80", "1 to 65535"},
                      Bad{"127.0.0.1:http", "1 to 65535"}, Bad{"127.0.0.1: 80", "1 to 65535"},
                      Bad{"::1:7443", "needs brackets"}, Bad{"[::1:7443", "between the brackets"},
                      Bad{"[127.0.0.1]:7443", "between the brackets"}, Bad{"[]:7443", "between the brackets"},
                      Bad{":7443", "neither an address"}, Bad{"pat example:7443", "neither an address"},
                      Bad{"pat@example:7443", "neither an address"}, Bad{"https://pat.example.com:7443", "no scheme"},
                      Bad{"dns:///pat.example.com:7443", "no scheme"}, Bad{"unix:", "path of the socket is missing"},
                      Bad{"unix://", "path of the socket is missing"}));

TEST(ServerAddressTest, SocketPathIsAsLongAsASocketsNameCanBe) {
  EXPECT_TRUE(ServerAddress::Parse("unix:" + std::string(107, 'a')).ok());
  const auto longer = ServerAddress::Parse("unix:" + std::string(108, 'a'));
  ASSERT_FALSE(longer.ok());
  EXPECT_THAT(std::string(longer.status().message()), HasSubstr("at most 107 bytes"));
}

TEST(ServerAddressTest, TellsUnixSocketsFromTheRest) {
  EXPECT_TRUE(ServerAddress::Parse("unix:/a")->is_unix());
  EXPECT_FALSE(ServerAddress::Parse("127.0.0.1:1")->is_unix());
}

}  // namespace
}  // namespace pat::client

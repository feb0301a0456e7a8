#include "client/server_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <cstdint>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace pat::client {
namespace {

constexpr absl::string_view kForms = "give HOST:PORT, [IPV6]:PORT or unix:PATH, for example 127.0.0.1:7443";

absl::Status Invalid(absl::string_view text, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("\"", text, "\": ", what, "; ", kForms));
}

bool IsHostName(absl::string_view host) {
  if (host.empty() || host.size() > 253) return false;
  for (char c : host) {
    if (!absl::ascii_isalnum(c) && c != '-' && c != '.' && c != '_') return false;
  }
  return true;
}

bool IsPort(absl::string_view text) {
  if (text.empty() || text.size() > 5) return false;
  for (char c : text) {
    if (!absl::ascii_isdigit(c)) return false;
  }
  uint32_t port = 0;
  return absl::SimpleAtoi(text, &port) && port >= 1 && port <= 65535;
}

// gRPC reads the path of a target as that of a URI.
std::string PercentEncoded(absl::string_view path) {
  std::string encoded;
  for (char c : path) {
    if (absl::ascii_isalnum(c) || c == '/' || c == '-' || c == '.' || c == '_' || c == '~') {
      encoded += c;
    } else {
      absl::StrAppendFormat(&encoded, "%%%02X", static_cast<unsigned char>(c));
    }
  }
  return encoded;
}

}  // namespace

ServerAddress::ServerAddress(absl::string_view text, std::string target, std::string host, Kind kind)
    : text_(text), target_(std::move(target)), host_(std::move(host)), kind_(kind) {}

absl::StatusOr<ServerAddress> ServerAddress::ParseUnix(absl::string_view text, absl::string_view path) {
  absl::ConsumePrefix(&path, "//");  // unix:///run/pat/pat.sock
  if (path.empty()) return Invalid(text, "the path of the socket is missing");
  constexpr size_t kLongest = sizeof(sockaddr_un::sun_path) - 1;
  if (path.size() > kLongest) {
    return Invalid(text, absl::StrCat("the path of a socket has at most ", kLongest, " bytes"));
  }
  return ServerAddress(text, absl::StrCat("unix:", PercentEncoded(path)), "localhost", Kind::kUnix);
}

absl::StatusOr<ServerAddress> ServerAddress::Parse(absl::string_view text) {
  absl::string_view rest = text;
  if (absl::ConsumePrefix(&rest, "unix:")) return ParseUnix(text, rest);
  if (absl::StrContains(text, "/")) return Invalid(text, "an address has no scheme and no path");

  const size_t colon = text.rfind(':');
  if (colon == absl::string_view::npos || absl::EndsWith(text, "]")) return Invalid(text, "the port is missing");
  const absl::string_view port = text.substr(colon + 1);
  absl::string_view host = text.substr(0, colon);
  if (!IsPort(port)) return Invalid(text, "the port is a number from 1 to 65535");

  if (absl::ConsumePrefix(&host, "[")) {
    in6_addr address;
    if (!absl::ConsumeSuffix(&host, "]") || inet_pton(AF_INET6, std::string(host).c_str(), &address) != 1) {
      return Invalid(text, "there is no IPv6 address between the brackets");
    }
    return ServerAddress(text, absl::StrCat("ipv6:%5B", host, "%5D:", port), std::string(host),
                         IN6_IS_ADDR_LOOPBACK(&address) ? Kind::kLoopback : Kind::kNetwork);
  }
  if (absl::StrContains(host, ":")) return Invalid(text, "an IPv6 address needs brackets");

  in_addr address;
  if (inet_pton(AF_INET, std::string(host).c_str(), &address) == 1) {
    const bool loopback = (ntohl(address.s_addr) >> 24) == 127;
    return ServerAddress(text, absl::StrCat("ipv4:", host, ":", port), std::string(host),
                         loopback ? Kind::kLoopback : Kind::kNetwork);
  }
  if (!IsHostName(host)) return Invalid(text, "the host is neither an address nor a name");
  if (absl::AsciiStrToLower(host) == "localhost") {
    return ServerAddress(text, absl::StrCat("ipv4:127.0.0.1:", port), "localhost", Kind::kLoopback);
  }
  return ServerAddress(text, absl::StrCat("dns:///", host, ":", port), std::string(host), Kind::kNetwork);
}

}  // namespace pat::client

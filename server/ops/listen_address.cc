#include "server/ops/listen_address.h"

#include <arpa/inet.h>
#include <sys/un.h>

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "server/core/error.h"

namespace pat {
namespace {

// Room for ".<pid>" beside the path while the socket is being put in place.
constexpr size_t kLongestPath = sizeof(sockaddr_un::sun_path) - 1 - 12;

constexpr std::pair<absl::string_view, ListenerRole> kRoles[] = {
    {"introspector", ListenerRole::kIntrospector},
    {"portal", ListenerRole::kPortal},
    {"user", ListenerRole::kUser},
};

absl::Status Wrong(absl::string_view text, absl::string_view why) {
  return absl::InvalidArgumentError(
      absl::StrCat(Quoted(text), " ", why, "; give for example 127.0.0.1:7443, [::1]:7443 or unix:/run/pat/pat.sock"));
}

absl::Status ParseUnixOption(absl::string_view text, absl::string_view option, ListenAddress& address) {
  const std::pair<absl::string_view, absl::string_view> parts = absl::StrSplit(option, absl::MaxSplits('=', 1));
  if (parts.first == "role") {
    for (const auto& [name, role] : kRoles) {
      if (parts.second != name) continue;
      address.role = role;
      return absl::OkStatus();
    }
  }
  if (parts.first == "mode") {
    uint32_t mode = 0;
    const bool has_form = parts.second.size() == 4 && parts.second[0] == '0';
    for (const char digit : parts.second) {
      if (!has_form || digit < '0' || digit > '7') {
        return Wrong(text, absl::StrCat("has the mode ", Quoted(parts.second), ", and takes four octal digits, 0660"));
      }
      mode = mode * 8 + static_cast<uint32_t>(digit - '0');
    }
    if (!has_form) return Wrong(text, "has an empty mode, and takes four octal digits, 0660");
    address.mode = mode;
    return absl::OkStatus();
  }
  return Wrong(text, absl::StrCat("has the option ", Quoted(option),
                                  "; a Unix socket has role=introspector, role=portal or role=user, and mode=0660"));
}

absl::StatusOr<ListenAddress> ParseUnix(absl::string_view text, absl::string_view rest) {
  ListenAddress address{.is_unix = true, .host = {}, .path = {}};
  const std::pair<absl::string_view, absl::string_view> parts = absl::StrSplit(rest, absl::MaxSplits('?', 1));
  address.path = std::string(parts.first);
  if (!absl::StartsWith(address.path, "/")) return Wrong(text, "has no absolute path");
  if (address.path.size() > kLongestPath) return Wrong(text, absl::StrCat("has a path over ", kLongestPath, " bytes"));
  for (const absl::string_view option : absl::StrSplit(parts.second, '&', absl::SkipEmpty())) {
    if (absl::Status status = ParseUnixOption(text, option, address); !status.ok()) return status;
  }
  return address;
}

absl::StatusOr<ListenAddress> ParseTcp(absl::string_view text, absl::string_view rest) {
  if (const size_t option = rest.find('?'); option != absl::string_view::npos) {
    return Wrong(text, absl::StrCat("has the option ", Quoted(rest.substr(option + 1)),
                                    "; TCP has none but ?plaintext and ?plaintext&role=introspector, which stand at "
                                    "the end, on loopback"));
  }
  const size_t colon = rest.rfind(':');
  if (colon == absl::string_view::npos) return Wrong(text, "has no port");
  absl::string_view host = rest.substr(0, colon);
  const absl::string_view digits = rest.substr(colon + 1);
  const auto is_digit = [](char c) { return absl::ascii_isdigit(static_cast<unsigned char>(c)); };
  uint32_t port = 0;
  if (!std::all_of(digits.begin(), digits.end(), is_digit) || !absl::SimpleAtoi(digits, &port) || port > UINT16_MAX) {
    return Wrong(text, "has no port of 0 to 65535");
  }
  const bool bracketed = absl::ConsumePrefix(&host, "[") && absl::ConsumeSuffix(&host, "]");
  ListenAddress address{.host = std::string(host), .port = static_cast<uint16_t>(port), .path = {}};
  in6_addr bytes{};
  if (inet_pton(bracketed ? AF_INET6 : AF_INET, address.host.c_str(), &bytes) != 1) {
    return Wrong(text, "is not a numeric address");
  }
  return address;
}

}  // namespace

bool ListenAddress::IsLoopback() const {
  if (is_unix) return false;
  in_addr v4{};
  if (inet_pton(AF_INET, host.c_str(), &v4) == 1) return (ntohl(v4.s_addr) >> 24) == 127;
  in6_addr v6{};
  return inet_pton(AF_INET6, host.c_str(), &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

std::string ListenAddress::ToString() const {
  if (is_unix) return absl::StrCat("unix:", path);
  if (absl::StrContains(host, ':')) return absl::StrCat("[", host, "]:", port);
  return absl::StrCat(host, ":", port);
}

std::string ListenAddress::About() const {
  std::string text = is_unix ? "Unix socket" : plaintext ? "plaintext" : "mutual TLS";
  for (const auto& [name, named_role] : kRoles) {
    if (role == named_role) absl::StrAppend(&text, ", role ", name);
  }
  if (is_unix) absl::StrAppend(&text, ", mode ", absl::StrFormat("%04o", mode));
  return text;
}

absl::StatusOr<ListenAddress> ParseListenAddress(absl::string_view text) {
  const auto is_control = [](char c) { return absl::ascii_iscntrl(static_cast<unsigned char>(c)); };
  if (std::any_of(text.begin(), text.end(), is_control)) return Wrong(text, "has control characters");
  absl::string_view rest = text;
  if (absl::ConsumePrefix(&rest, "unix:")) return ParseUnix(text, rest);

  bool plaintext = false;
  bool introspector = false;
  // In the order of a file's keys.
  for (const absl::string_view form : {"?plaintext&role=introspector", "?role=introspector&plaintext"}) {
    introspector = introspector || absl::ConsumeSuffix(&rest, form);
  }
  plaintext = introspector || absl::ConsumeSuffix(&rest, "?plaintext");
  absl::StatusOr<ListenAddress> address = ParseTcp(text, rest);
  if (!address.ok()) return address;
  if (plaintext && !address->IsLoopback()) return Wrong(text, "asks for plaintext beyond loopback");
  address->plaintext = plaintext;
  if (introspector) address->role = ListenerRole::kIntrospector;
  return address;
}

absl::StatusOr<ListenAddress> ParsePlaintextAddress(absl::string_view text) {
  absl::StatusOr<ListenAddress> address = ParseTcp(text, text);
  if (address.ok()) address->plaintext = true;
  return address;
}

}  // namespace pat

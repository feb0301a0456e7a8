#include "server/ops/dev_guide.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "server/ops/dev_users.h"

namespace pat {
namespace {

// $SERVER is what patctl takes; $GRPCURL and $BUF what grpcurl and buf curl take instead. Nothing is wider than 80
// columns while addresses are on loopback.
constexpr char kCommands[] = R"(Try, in another terminal:

  patctl --server $SERVER --user ada token create --name demo \
    --scopes TM.Defects.Read --expires 1d
  patctl --server $SERVER --user ada token list
  patctl --server $SERVER introspect --require TM.Defects.Read
  patctl --server $SERVER --user ada token revoke demo

  grpcurl -plaintext $GRPCURL list
  grpcurl -plaintext -d @ $GRPCURL \
    pat.v1.IntrospectionService/Introspect    # {"token":"pat_..."}, Ctrl-D

  buf curl $BUF \
    --list-methods $URL
)";

// For a listener where whoever connects may be the portal.
constexpr char kPortalCommands[] = R"(
As the portal, which acts for a user without a password:

  grpcurl -plaintext -H 'x-pat-user: ada' \
    -d '{"parent":"users/ada","display_name":"demo2",
         "scopes":["TM.Defects.Read"],"ttl":"3600s"}' \
    $GRPCURL pat.v1.TokenService/CreateToken
  buf curl $BUF \
    -H 'x-pat-user: ada' -d '{"parent":"users/ada"}' \
    $URL/pat.v1.TokenService/ListTokens
)";

// The sidecar's own $SERVER and so on; $LAG is the TTL.
constexpr char kSidecarCommands[] = R"(
At the sidecar, as a service would ask that has it beside it:

  patctl --server $SERVER introspect --require TM.Defects.Read
  grpcurl -plaintext $GRPCURL list
  grpcurl -plaintext -d @ $GRPCURL \
    pat.v1.IntrospectionService/Introspect    # {"token":"pat_..."}, Ctrl-D
  buf curl $BUF -d @- \
    $URL/pat.v1.IntrospectionService/Introspect

It has a cache of its own, and no users and no tokens: it only introspects, and
refuses whoever brings "authorization" or "x-pat-user". It takes a token and not
token_sha256, for which `patd sidecar` wants a client certificate whose identity
entry says "digests: true".
)";

constexpr char kTtl[] = R"(
A revocation is noticed there when what it knows of the token ends, within
$LAG. `patd dev --propagation push`: usually within milliseconds.
)";

constexpr char kPush[] = R"(
Propagation is push: the authority tells it of revocations, usually within
milliseconds. While it cannot, $LAG is the bound all the same.
)";

// Cut at a space, if it is wider than a terminal, and gone on with under the column `indent`.
std::string Wrapped(std::string line, size_t indent) {
  const size_t cut = line.size() <= 80 ? std::string::npos : line.rfind(' ', 80);
  if (cut != std::string::npos) line.replace(cut, 1, absl::StrCat("\n", std::string(indent, ' ')));
  return line;
}

// What the tools take for a listener there.
std::vector<std::pair<absl::string_view, std::string>> Places(const ListenAddress& address) {
  const std::string server = address.ToString();
  return {{"$SERVER", server},
          {"$GRPCURL", address.is_unix ? absl::StrCat("-unix ", address.path) : server},
          {"$BUF", absl::StrCat("--protocol grpc --http2-prior-knowledge",
                                address.is_unix ? absl::StrCat(" --unix-socket ", address.path) : "")},
          {"$URL", address.is_unix ? "http://localhost" : absl::StrCat("http://", server)}};
}

std::string SidecarGuide(const Options& options, const ListenAddress& sidecar) {
  auto places = Places(sidecar);
  places.emplace_back("$LAG", absl::FormatDuration(options.cache_ttl));
  return absl::StrReplaceAll(absl::StrCat(kSidecarCommands, options.propagation == Propagation::kPush ? kPush : kTtl),
                             places);
}

}  // namespace

std::string DevGuide(const Options& options, const std::string& data_dir, const std::vector<ListenAddress>& listening,
                     const std::optional<ListenAddress>& sidecar) {
  std::string text =
      "\n"
      "*** patd dev: FOR TRYING IT OUT ONLY. ***\n"
      "*** Known passwords, no TLS, and every process of this machine may      ***\n"
      "*** introspect, and act as any user below. Do not keep real tokens here. ***\n\n";
  for (const ListenAddress& address : listening) absl::StrAppend(&text, "Listening on ", address.ToString(), "\n");
  if (sidecar.has_value()) {
    absl::StrAppend(&text, "Sidecar on ", sidecar->ToString(), ", in front of it; propagation ",
                    options.propagation == Propagation::kPush ? "push" : "ttl", "\n");
  }
  absl::StrAppend(&text, "Data in ", data_dir, options.data_dir.empty() ? " (removed at the end)\n" : "\n");
  absl::StrAppend(&text, "A revoked token may be accepted from a cache for up to ",
                  absl::FormatDuration(options.cache_ttl), " (--cache-ttl).\n\nUsers, and their passwords:\n");
  for (const DevUser& user : DevUsers()) {
    const std::string password = user.type == UserType::kLocal ? absl::StrCat(user.id, "-password") : "none";
    absl::StrAppend(&text, Wrapped(absl::StrFormat("  %-5s  %-14s  %s", user.id, password, user.about), 25), "\n");
  }
  // One where x-pat-user is taken, if there is one.
  const auto full = std::find_if_not(listening.begin(), listening.end(),
                                     [](const ListenAddress& address) { return address.role.has_value(); });
  const ListenAddress& used = full != listening.end() ? *full : listening.front();
  absl::StrAppend(
      &text, "\n",
      absl::StrReplaceAll(absl::StrCat(kCommands, full != listening.end() ? kPortalCommands : ""), Places(used)));
  if (sidecar.has_value()) absl::StrAppend(&text, SidecarGuide(options, *sidecar));
  return text;
}

}  // namespace pat

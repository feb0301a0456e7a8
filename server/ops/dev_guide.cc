#include "server/ops/dev_guide.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "server/ops/dev_users.h"

namespace pat {
namespace {

// $SERVER is what patctl takes; $GRPCURL and $BUF what grpcurl and buf curl take instead.
constexpr char kCommands[] = R"(Try, in another terminal:

  patctl --server $SERVER --user ada token create --name demo --scopes TM.Defects.Read --expires 1d
  patctl --server $SERVER --user ada token list
  patctl --server $SERVER introspect --require TM.Defects.Read         # asks for the token
  patctl --server $SERVER --user ada token revoke demo

  grpcurl -plaintext $GRPCURL list
  grpcurl -plaintext -d @ $GRPCURL pat.v1.IntrospectionService/Introspect      # then {"token":"pat_..."} and Ctrl-D

  buf curl $BUF --list-methods $URL
)";

// For a listener where whoever connects may be the portal.
constexpr char kPortalCommands[] = R"(
As the portal, which acts for a user without a password:

  grpcurl -plaintext -H 'x-pat-user: ada' \
    -d '{"parent":"users/ada","display_name":"demo2","scopes":["TM.Defects.Read"],"ttl":"3600s"}' \
    $GRPCURL pat.v1.TokenService/CreateToken
  buf curl $BUF -H 'x-pat-user: ada' \
    -d '{"parent":"users/ada"}' $URL/pat.v1.TokenService/ListTokens
)";

}  // namespace

std::string DevGuide(const Options& options, const std::string& data_dir, const std::vector<ListenAddress>& listening,
                     const std::optional<ListenAddress>& sidecar) {
  std::string text =
      "\n"
      "*** patd dev: FOR TRYING IT OUT ONLY. ***\n"
      "*** Known passwords, no TLS, and every process of this machine may introspect and act as any user below. ***\n"
      "*** Do not keep real tokens here. ***\n\n";
  for (const ListenAddress& address : listening) absl::StrAppend(&text, "Listening on ", address.ToString(), "\n");
  if (sidecar.has_value()) {
    absl::StrAppend(&text, "Sidecar on ", sidecar->ToString(), ", in front of it; propagation ",
                    options.propagation == Propagation::kPush ? "push" : "ttl", "\n");
  }
  absl::StrAppend(&text, "Data in ", data_dir, options.data_dir.empty() ? " (removed at the end)\n" : "\n");
  absl::StrAppend(&text, "A revoked token may be accepted from the cache for up to ",
                  absl::FormatDuration(options.cache_ttl), " (--cache-ttl).\n\nUsers:\n");
  for (const DevUser& user : DevUsers()) {
    const bool local = user.type == UserType::kLocal;
    absl::StrAppend(&text, "  ", user.id, local ? absl::StrCat(", password ", user.id, "-password") : "", ": ",
                    user.about, "\n");
  }
  // One where x-pat-user is taken, if there is one.
  const auto full = std::find_if_not(listening.begin(), listening.end(),
                                     [](const ListenAddress& address) { return address.role.has_value(); });
  const ListenAddress& used = full != listening.end() ? *full : listening.front();
  const std::string server = used.ToString();
  const std::string url = used.is_unix ? "http://localhost" : absl::StrCat("http://", server);
  const std::string buf = absl::StrCat("--protocol grpc --http2-prior-knowledge",
                                       used.is_unix ? absl::StrCat(" --unix-socket ", used.path) : "");
  absl::StrAppend(&text, "\n",
                  absl::StrReplaceAll(absl::StrCat(kCommands, full != listening.end() ? kPortalCommands : ""),
                                      {{"$SERVER", server},
                                       {"$GRPCURL", used.is_unix ? absl::StrCat("-unix ", used.path) : server},
                                       {"$BUF", buf},
                                       {"$URL", url}}));
  if (sidecar.has_value()) {
    absl::StrAppend(&text, "\nAt the sidecar, which has a cache of its own:\n\n  patctl --server ", sidecar->ToString(),
                    " introspect\n");
  }
  return text;
}

}  // namespace pat

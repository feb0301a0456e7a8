#include "client/patctl/connect_hint.h"

#include <fstream>
#include <initializer_list>
#include <sstream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/certificate_dates.h"
#include "client/patctl/time_text.h"
#include "client/server_address.h"

namespace pat::patctl {
namespace {

constexpr absl::string_view kCheckServer = "is --server (PATCTL_SERVER) right, and does the server run?";

bool Says(absl::string_view message, std::initializer_list<absl::string_view> words) {
  for (const absl::string_view word : words) {
    if (absl::StrContains(message, word)) return true;
  }
  return false;
}

// "expired 2026-11-23 15:04:05Z (2d ago)"; empty: it is good now.
std::string OutOfDate(const std::optional<client::CertificateDates>& dates, absl::Time now) {
  if (!dates.has_value()) return "";
  if (now > dates->end) return absl::StrCat("expired ", FormatWhen(dates->end, now));
  if (now < dates->begin) return absl::StrCat("is not valid before ", FormatWhen(dates->begin, now));
  return "";
}

ConnectHint ForUntrusted(const GlobalOptions& options, const std::optional<client::PeerCertificate>& peer,
                         absl::Time now) {
  const std::string out_of_date = peer.has_value() ? OutOfDate(peer->dates, now) : "";
  if (!out_of_date.empty()) {
    return {absl::StrCat("the server's certificate ", out_of_date),
            absl::StrCat("the server needs a new certificate, unless the clock of this machine is wrong: here it is ",
                         FormatInstant(now))};
  }
  return {"the server's certificate is of no authority that is trusted here",
          options.tls_ca.empty()
              ? "give --tls-ca FILE (PATCTL_TLS_CA) with the certificate of the authority that signed the server's"
              : absl::StrCat("\"", options.tls_ca,
                             "\" (--tls-ca, PATCTL_TLS_CA) is not the authority that signed it: give that one's "
                             "certificate")};
}

ConnectHint ForWrongName(const GlobalOptions& options, const std::optional<client::PeerCertificate>& peer) {
  std::string wanted = options.tls_server_name;
  if (const auto address = client::ServerAddress::Parse(options.server); wanted.empty() && address.ok()) {
    wanted = address->host();
  }
  const std::string names = peer.has_value() ? absl::StrJoin(peer->names, ", ") : "";
  return {
      absl::StrCat("the server's certificate is made out to ", names.empty() ? "others" : names, ", not to ", wanted),
      "if that is the server you mean, give a name that is in it with --tls-server-name (PATCTL_TLS_SERVER_NAME)"};
}

ConnectHint ForClientCertificate(const GlobalOptions& options, absl::Time now) {
  if (options.tls_cert.empty()) {
    return {absl::StrCat(options.server, " breaks the TLS connection off: it seems to want a client certificate"),
            "give this client's with --tls-cert FILE and --tls-key FILE (PATCTL_TLS_CERT, PATCTL_TLS_KEY)"};
  }
  std::ostringstream pem;
  pem << std::ifstream(options.tls_cert, std::ios::binary).rdbuf();
  const std::string out_of_date = OutOfDate(client::ReadCertificateDates(pem.str()), now);
  if (!out_of_date.empty()) {
    return {absl::StrCat("this client's certificate ", out_of_date),
            absl::StrCat("put a new one into \"", options.tls_cert, "\" (--tls-cert, PATCTL_TLS_CERT)")};
  }
  return {
      absl::StrCat(options.server, " breaks the TLS connection off: it seems not to accept this client's certificate"),
      absl::StrCat("is \"", options.tls_cert,
                   "\" (--tls-cert, PATCTL_TLS_CERT) of an authority that the server trusts for clients?")};
}

ConnectHint ForUnusableFiles(const GlobalOptions& options) {
  if (options.tls_cert.empty()) {
    return {"the file of --tls-ca (PATCTL_TLS_CA) cannot be used", "give certificates in PEM, whole"};
  }
  return {"the files of --tls-ca, --tls-cert and --tls-key cannot be used together",
          "--tls-key must be the key of the first certificate of --tls-cert, in PEM and without a password"};
}

}  // namespace

bool IsAboutServerCertificate(absl::string_view message) {
  return Says(message, {"certificate verify failed", "CERTIFICATE_VERIFY_FAILED", "is not in peer certificate",
                        "Hostname Verification Check failed"});
}

bool UsesTls(const GlobalOptions& options) {
  const bool implied = !options.tls_ca.empty() || !options.tls_cert.empty() || !options.tls_key.empty() ||
                       !options.tls_server_name.empty();
  return options.tls.value_or(implied);
}

ConnectHint HintFor(absl::string_view message, const GlobalOptions& options,
                    const std::optional<client::PeerCertificate>& peer, absl::Time now) {
  const bool tls = UsesTls(options);
  if (Says(message, {"Connection refused", "No such file or directory"})) {
    return {absl::StrCat("nobody listens at ", options.server), std::string(kCheckServer)};
  }
  if (Says(message, {"Permission denied"})) {
    return {absl::StrCat("you may not use ", options.server),
            "the mode and group of the socket say who may: ask for that group"};
  }
  if (Says(message, {"DNS resolution failed", "Name or service not known"})) {
    return {absl::StrCat("the host of ", options.server, " has no address"), std::string(kCheckServer)};
  }
  if (Says(message, {"No route to host", "Network is unreachable"})) {
    return {absl::StrCat("there is no way to ", options.server), std::string(kCheckServer)};
  }
  if (tls && Says(message, {"is not in peer certificate", "Hostname Verification Check failed"})) {
    return ForWrongName(options, peer);
  }
  if (tls && IsAboutServerCertificate(message)) return ForUntrusted(options, peer, now);
  if (tls && Says(message, {"wrong version number", "WRONG_VERSION_NUMBER"})) {
    return {absl::StrCat(options.server, " does not speak TLS"),
            "is --server (PATCTL_SERVER) right? Without TLS, on this machine only: leave the --tls options out, or "
            "--tls=false if they are in the environment"};
  }
  if (tls && Says(message, {"empty address list"})) return ForUnusableFiles(options);
  const bool broken_off = Says(message, {"failed to connect"}) &&
                          Says(message, {"Socket closed", "Connection reset", "Broken pipe", "certificate required"});
  if (broken_off && tls) return ForClientCertificate(options, now);
  if (broken_off && !absl::StartsWith(options.server, "unix:")) {
    return {absl::StrCat(options.server, " breaks the plaintext connection off: it seems to speak TLS"),
            "give --tls-ca FILE (PATCTL_TLS_CA) with who vouches for the server, or --tls if this machine knows who "
            "does"};
  }
  return {"", absl::StrCat("no server answers at ", options.server,
                           ": does it run, is --server (PATCTL_SERVER) right, and do both sides use TLS or both not?")};
}

}  // namespace pat::patctl

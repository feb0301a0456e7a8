#include "client/connection.h"

#include <fstream>
#include <sstream>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "grpc/support/time.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/support/channel_arguments.h"

namespace pat::client {
namespace {

// gRPC takes an empty text for "use the default", so a file with nothing in it must not get that far.
absl::StatusOr<std::string> ReadPem(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream content;
  if (!file || !(content << file.rdbuf())) {
    return absl::InvalidArgumentError(absl::StrCat("\"", path, "\" cannot be read; give a PEM file"));
  }
  std::string pem = std::move(content).str();
  if (!absl::StrContains(pem, "-----BEGIN ")) {
    return absl::InvalidArgumentError(absl::StrCat("\"", path, "\" has no PEM in it"));
  }
  return pem;
}

absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> TlsCredentials(const TlsFiles& files) {
  grpc::SslCredentialsOptions options;
  const std::pair<const std::string&, std::string&> pems[] = {
      {files.ca, options.pem_root_certs}, {files.cert, options.pem_cert_chain}, {files.key, options.pem_private_key}};
  for (const auto& [path, pem] : pems) {
    if (path.empty()) continue;
    auto content = ReadPem(path);
    if (!content.ok()) return content.status();
    pem = *std::move(content);
  }
  return grpc::SslCredentials(options);
}

absl::StatusOr<SecretText> HeaderOf(const BasicCredentials& credentials) {
  const std::string& user = credentials.user;
  if (user.empty()) return absl::InvalidArgumentError("the user's name is empty");
  for (char c : user) {
    if (c == ':' || absl::ascii_iscntrl(c)) {
      return absl::InvalidArgumentError("a user's name has no colon and no control character in it");
    }
  }
  if (credentials.password.empty()) return absl::InvalidArgumentError("the password is empty");

  SecretText plain(absl::StrCat(user, ":"));
  plain.Append(credentials.password.Reveal());
  SecretText header(std::string("Basic "));
  header.Append(SecretText(absl::Base64Escape(plain.Reveal())).Reveal());
  return header;
}

absl::StatusOr<SecretText> HeaderOf(const BearerCredentials& credentials) {
  if (credentials.token.empty()) return absl::InvalidArgumentError("the token is empty");
  for (char c : credentials.token.Reveal()) {
    // gRPC would end the program.
    if (!absl::ascii_isgraph(c)) {
      return absl::InvalidArgumentError("a token has no blank and nothing but visible ASCII characters in it");
    }
  }
  SecretText header(std::string("Bearer "));
  header.Append(credentials.token.Reveal());
  return header;
}

absl::StatusOr<SecretText> Authorization(const std::optional<Credentials>& credentials) {
  if (!credentials.has_value()) return SecretText();
  return std::visit([](const auto& each) { return HeaderOf(each); }, *credentials);
}

bool IsServerName(absl::string_view name) {
  for (char c : name) {
    // Colons are those of an IPv6 address, which stands here without brackets.
    if (!absl::ascii_isalnum(c) && c != '-' && c != '.' && c != '_' && c != ':') return false;
  }
  return !name.empty() && name.size() <= 253;
}

}  // namespace

absl::Status CheckTransport(const ConnectionOptions& options) {
  if (options.timeout <= absl::ZeroDuration()) {
    return absl::InvalidArgumentError("the timeout must be longer than nothing");
  }
  if (options.tls.has_value()) {
    if (options.address.is_unix()) {
      return absl::InvalidArgumentError("a Unix socket takes no TLS: its file mode says who may use it");
    }
    if (options.tls->cert.empty() != options.tls->key.empty()) {
      return absl::InvalidArgumentError("a client's certificate and its key go together: give both or none");
    }
    if (!options.tls_server_name.empty() && !IsServerName(options.tls_server_name)) {
      return absl::InvalidArgumentError(absl::StrCat("\"", absl::CHexEscape(options.tls_server_name),
                                                     "\" is no name of a server: give one as in its certificate, "
                                                     "without a port"));
    }
    return absl::OkStatus();
  }
  if (!options.tls_server_name.empty()) {
    return absl::InvalidArgumentError("the name in the server's certificate can be checked with TLS only");
  }
  const bool confidential = options.payload == Payload::kConfidential || options.credentials.has_value();
  if (confidential && !options.address.is_local()) {
    return absl::InvalidArgumentError(absl::StrCat("refusing to send passwords or tokens in plaintext to ",
                                                   options.address.text(),
                                                   ", which is not a loopback address: use TLS, or a Unix socket"));
  }
  return absl::OkStatus();
}

Connection::Connection(std::shared_ptr<grpc::Channel> channel, SecretText authorization, absl::Duration timeout)
    : channel_(std::move(channel)), authorization_(std::move(authorization)), timeout_(timeout) {}

absl::StatusOr<std::unique_ptr<Connection>> Connection::Create(ConnectionOptions options) {
  if (absl::Status status = CheckTransport(options); !status.ok()) return status;
  std::shared_ptr<grpc::ChannelCredentials> credentials;
  if (options.tls.has_value()) {
    auto tls = TlsCredentials(*options.tls);
    if (!tls.ok()) return tls.status();
    credentials = *std::move(tls);
  } else {
    credentials = grpc::InsecureChannelCredentials();
  }
  auto authorization = Authorization(options.credentials);
  if (!authorization.ok()) return authorization.status();

  grpc::ChannelArguments arguments;
  // A proxy named in the environment would read what is meant for loopback.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  // How to call is our decision, not that of a text record in the DNS.
  arguments.SetInt(GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1);
  // What a certificate must be made out to is the authority. "localhost" is called by its address, but its certificate
  // is made out to the name.
  if (!options.tls_server_name.empty()) {
    arguments.SetString(GRPC_ARG_DEFAULT_AUTHORITY, options.tls_server_name);
  } else if (options.address.host() == "localhost") {
    arguments.SetString(GRPC_ARG_DEFAULT_AUTHORITY, "localhost");
  }
  auto channel = grpc::CreateCustomChannel(options.address.target(), credentials, arguments);
  return std::unique_ptr<Connection>(new Connection(std::move(channel), *std::move(authorization), options.timeout));
}

void Connection::Prepare(grpc::ClientContext& context) const {
  // A span of time, not an instant: gRPC adds its own clock to it, so none is read here.
  context.set_deadline(gpr_time_from_nanos(absl::ToInt64Nanoseconds(timeout_), GPR_TIMESPAN));
  if (!authorization_.empty()) context.AddMetadata("authorization", std::string(authorization_.Reveal()));
}

}  // namespace pat::client

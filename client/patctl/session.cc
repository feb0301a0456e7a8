#include "client/patctl/session.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/patctl/connect_hint.h"
#include "client/patctl/error_text.h"
#include "client/patctl/exit_code.h"
#include "client/patctl/secret_file.h"
#include "client/patctl/text.h"
#include "client/peer_certificate.h"
#include "client/server_address.h"
#include "google/protobuf/util/json_util.h"

namespace pat::patctl {
namespace {

absl::StatusOr<client::SecretText> ReadPassword(const GlobalOptions& options, Console& console) {
  const std::string prompt = absl::StrCat("password of ", Printable(options.user), ": ");
  if (!options.password_file.empty()) return ReadSecretFile(options.password_file, prompt, console);
  auto password = console.ReadHidden(prompt);
  if (!password.ok() && ExitCodeOf(password.status()) == ExitCode::kUsage) {
    return UsageError(absl::StrCat("the password is missing: ", password.status().message(),
                                   "; give it with --password-file (- is standard input)"));
  }
  return password;
}

std::optional<client::TlsFiles> TlsOf(const GlobalOptions& options) {
  if (!UsesTls(options)) return std::nullopt;
  return client::TlsFiles{options.tls_ca, options.tls_cert, options.tls_key};
}

}  // namespace

Session::Session(const GlobalOptions& options, Console& console, const client::Clock& clock)
    : options_(options), console_(console), clock_(clock) {}

absl::StatusOr<client::ConnectionOptions> Session::ConnectionFor(Access access) const {
  if (access == Access::kUser && !options_.token_file.empty()) {
    return UsageError(
        "a token cannot do this: with --token-file (PATCTL_TOKEN_FILE) it can look at, regenerate and revoke itself, "
        "list scopes and report leaked tokens; for everything else give --user");
  }
  const bool credentials = access == Access::kUser || access == Access::kToken;
  if (credentials && options_.user.empty() && options_.token_file.empty()) {
    return UsageError("who asks? give --user (or PATCTL_USER), and the password when asked or with --password-file");
  }
  auto address = client::ServerAddress::Parse(options_.server);
  if (!address.ok()) return address.status();
  client::ConnectionOptions connection{
      .address = *std::move(address),
      .tls = TlsOf(options_),
      .credentials = std::nullopt,
      .payload = access == Access::kPublic ? client::Payload::kPublic : client::Payload::kConfidential,
      .timeout = options_.timeout,
      .tls_server_name = options_.tls_server_name};
  if (absl::Status status = client::CheckTransport(connection); !status.ok()) return status;
  return connection;
}

absl::Status Session::Connect(Access access) {
  auto connection = ConnectionFor(access);
  if (!connection.ok()) return connection.status();
  if (access != Access::kPublic) {
    if (absl::Status status = ReadCredentials(*connection); !status.ok()) return status;
  }
  if (connection->tls.has_value() && !connection->tls->key.empty()) {
    WarnIfOthersCanRead(connection->tls->key, console_);
  }
  auto created = client::Connection::Create(*std::move(connection));
  if (!created.ok()) return created.status();
  connection_ = *std::move(created);
  tokens_ = v1::TokenService::NewStub(connection_->channel());
  return absl::OkStatus();
}

absl::Status Session::ReadCredentials(client::ConnectionOptions& connection) {
  if (!options_.token_file.empty()) {
    auto token = ReadSecretFile(options_.token_file, "token: ", console_);
    if (!token.ok()) return token.status();
    connection.credentials = client::BearerCredentials{*std::move(token)};
  } else if (!options_.user.empty()) {
    auto password = ReadPassword(options_, console_);
    if (!password.ok()) return password.status();
    password_ = client::SecretText(std::string(password->Reveal()));
    connection.credentials = client::BasicCredentials{options_.user, *std::move(password)};
  }
  return absl::OkStatus();
}

absl::Status Session::CheckStandardInput(absl::string_view path, absl::string_view what) const {
  if (path != "-") return absl::OkStatus();
  if (options_.token_file == "-") {
    return UsageError(
        absl::StrCat("standard input cannot be both the token that asks and ", what, ": give a file for one of them"));
  }
  if (options_.password_file == "-" && !options_.user.empty()) {
    return UsageError(
        absl::StrCat("standard input cannot be both the password and ", what, ": give a file for one of them"));
  }
  return absl::OkStatus();
}

std::string Session::ParentOf(const std::string& owner) const {
  return absl::StrCat("users/", owner.empty() ? options_.user : owner);
}

absl::Status Session::Print(absl::string_view text) {
  console_.err().flush();
  console_.out().write(text.data(), static_cast<std::streamsize>(text.size()));
  console_.out().flush();
  if (!console_.out()) return Failed("standard output cannot be written to");
  return absl::OkStatus();
}

absl::Status Session::PrintJson(const google::protobuf::Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = !options_.json_lines;
  // What is false, zero or empty is there too: who reads it need not know what is left out.
  options.always_print_primitive_fields = true;
  std::string json;
  if (!google::protobuf::util::MessageToJsonString(message, &json, options).ok()) {
    return Failed("the server's answer cannot be shown as JSON: it has a time or a text that JSON cannot say");
  }
  if (options_.json_lines) {
    json.reserve(json.size() + 1);  // So that no copy stays behind.
    json += '\n';
  }
  absl::Status printed = Print(json);
  client::WipeString(json);
  return printed;
}

void Session::Say(absl::string_view line) { console_.err() << line << std::endl; }

absl::Status Session::Checked(const grpc::Status& status) const {
  if (status.ok()) return absl::OkStatus();
  const client::CallError error = client::DecodeCallError(status);
  std::optional<client::PeerCertificate> peer;
  // Of a certificate that is not trusted gRPC does not say why.
  if (IsConnectFailure(error) && UsesTls(options_) && IsAboutServerCertificate(error.message)) {
    if (const auto address = client::ServerAddress::Parse(options_.server); address.ok()) {
      peer = client::LookAtPeerCertificate(*address, options_.timeout);
    }
  }
  return Failed(RenderCallError(error, options_, peer, Now()));
}

}  // namespace pat::patctl

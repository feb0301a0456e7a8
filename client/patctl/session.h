// Session: what a command of patctl works with: options, console, clock, and, once it is connected, the server.
//
// Threads: used by one thread.
#ifndef PAT_CLIENT_PATCTL_SESSION_H_
#define PAT_CLIENT_PATCTL_SESSION_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "client/clock.h"
#include "client/connection.h"
#include "client/patctl/console.h"
#include "client/patctl/options.h"
#include "google/protobuf/message.h"
#include "pat/v1/token_service.grpc.pb.h"

namespace pat::patctl {

// Who may make the calls of a command.
enum class Access {
  kUser,    // Only a user: without --user it is a usage error, and so it is with --token-file.
  kToken,   // A user, or the holder of a token, on that token.
  kAnyone,  // A user, the holder of a token, or, where the server allows it, nobody in particular.
  kPublic,  // No credentials are sent, no password is asked for, and plaintext across a network is fine.
};

class Session {
 public:
  // All three must outlive the session.
  Session(const GlobalOptions& options, Console& console, const client::Clock& clock);

  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  const GlobalOptions& options() const { return options_; }
  Console& console() { return console_; }
  absl::Time Now() const { return clock_.Now(); }

  // What Connect would refuse, but without asking for anything: to be called before a person has to type a token.
  absl::Status Check(Access access) const { return ConnectionFor(access).status(); }

  // To be called once, before the first call to the server. Reads or asks for the password, or reads the token, if one
  // is needed. Sends nothing.
  absl::Status Connect(Access access);

  const std::shared_ptr<grpc::Channel>& channel() const { return connection_->channel(); }
  v1::TokenService::Stub& tokens() { return *tokens_; }

  // The password of the user who asks, once it is connected; empty without a user.
  const client::SecretText& password() const { return password_; }

  // INVALID_ARGUMENT: `path`, of `what`, is standard input ("-"), but the password or the token of who asks is read
  // from there already.
  absl::Status CheckStandardInput(absl::string_view path, absl::string_view what) const;

  // "users/{owner}"; without an owner that of the user who asks.
  std::string ParentOf(const std::string& owner) const;

  // One call. Its error is one that ends the program: see RenderCallError.
  template <typename Stub, typename Request, typename Response>
  absl::Status Call(Stub& stub, grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                    const Request& request, Response* response) {
    return Checked(connection_->Call(stub, method, request, response));
  }

  // Writes to standard output, and makes sure that it got there.
  absl::Status Print(absl::string_view text);

  // The same for a message, as JSON; with json_lines in one line. Names and values are those of proto3's JSON. Fields
  // that are false, zero or empty are printed; times and messages that are not set are not.
  absl::Status PrintJson(const google::protobuf::Message& message);

  // For a message that is a list: with json_lines a line for each of its elements, else as PrintJson.
  template <typename Elements>
  absl::Status PrintJsonList(const google::protobuf::Message& list, const Elements& elements) {
    if (!options_.json_lines) return PrintJson(list);
    for (const auto& element : elements) {
      if (absl::Status status = PrintJson(element); !status.ok()) return status;
    }
    return absl::OkStatus();
  }

  // A line to standard error.
  void Say(absl::string_view line);

 private:
  // Still without credentials.
  absl::StatusOr<client::ConnectionOptions> ConnectionFor(Access access) const;

  // Sets the credentials, and keeps the password.
  absl::Status ReadCredentials(client::ConnectionOptions& connection);

  absl::Status Checked(const grpc::Status& status) const;

  // Constant after construction.
  const GlobalOptions& options_;
  Console& console_;
  const client::Clock& clock_;

  // Set by Connect.
  client::SecretText password_;
  std::unique_ptr<client::Connection> connection_;
  std::unique_ptr<v1::TokenService::Stub> tokens_;
};

}  // namespace pat::patctl

#endif  // PAT_CLIENT_PATCTL_SESSION_H_

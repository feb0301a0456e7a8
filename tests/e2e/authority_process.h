// AuthorityProcess: `patd authority` in a process of its own, on data that `patd init` made, with certificates and
// sockets for every role.
#ifndef PAT_TESTS_E2E_AUTHORITY_PROCESS_H_
#define PAT_TESTS_E2E_AUTHORITY_PROCESS_H_

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "pat/v1/audit_service.grpc.pb.h"
#include "pat/v1/policy_service.grpc.pb.h"
#include "pat/v1/user_service.grpc.pb.h"
#include "tests/e2e/patd.h"
#include "tests/e2e/test_directory.h"
#include "tests/server/crypto/certificate_maker.h"

namespace pat {

// Tries until it is so, at most 20 s: for what another process does within a second or two.
template <typename Condition>
bool Becomes(Condition condition) {
  const absl::Time end = absl::Now() + absl::Seconds(20);
  while (absl::Now() < end) {
    if (condition()) return true;
  }
  return false;
}

// A call of a service that Client has no stub for.
template <typename Service, typename Request, typename Response>
Answer<Response> CallOf(const Client& client,
                        grpc::Status (Service::Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                        const Headers& headers, const Request& request) {
  const auto stub = Service::NewStub(client.channel());
  const std::unique_ptr<grpc::ClientContext> context = Client::ContextFor(headers);
  Answer<Response> answer;
  answer.status = (*stub.*method)(context.get(), request, &answer.response);
  return answer;
}

class AuthorityProcess {
 public:
  static constexpr char kAdministrator[] = "root";
  static constexpr char kPassword[] = "correct horse";

  // Makes the data and the files; starts nothing yet.
  AuthorityProcess() {
    const FailedStart init = RunToItsEnd(
        PatdCommand("init", {"--data-dir", data_dir(), "--admin", kAdministrator, "--password-file",
                             Write("password", std::string(kPassword) + "\n", 0600), "--log-level", "warn"}));
    if (init.end.exit_code != 0) throw std::runtime_error(init.standard_error);
    WriteServer(MakeCertificate({.common_name = "server", .names = {"DNS:patd.example"}}, server_ca));
    Write("ca.crt", client_ca.pem);
  }

  // With these arguments besides. Throws if it does not start.
  void Start(const std::vector<std::string>& more = {}) {
    ProcessSettings settings =
        PatdCommand("authority", {"--data-dir", data_dir(), "--listen", "127.0.0.1:0"}, {"TMPDIR=" + directory.path()});
    for (const std::string& argument : TlsArguments()) settings.arguments.push_back(argument);
    for (const std::string& argument : more) settings.arguments.push_back(argument);
    patd = std::make_unique<Patd>(std::move(settings));
  }

  std::vector<std::string> TlsArguments() const {
    return {"--tls-cert",          directory / "tls.crt", "--tls-key",
            directory / "tls.key", "--tls-client-ca",     directory / "ca.crt"};
  }

  std::string Write(absl::string_view name, const std::string& content, mode_t mode = 0644) const {
    std::string path = directory / name;
    std::ofstream(path, std::ios::binary) << content;
    chmod(path.c_str(), mode);
    return path;
  }
  void WriteServer(const MadeCertificate& server) const {
    Write("tls.crt", server.pem);
    Write("tls.key", server.key, 0600);
  }

  std::string data_dir() const { return directory / "data"; }

  // Somebody with this certificate, or without one.
  Client Over(const MadeCertificate& own) const { return Over(own, server_ca); }
  Client Over(const MadeCertificate& own, const MadeCertificate& trusted) const {
    return Client(patd->address(), grpc::SslCredentials({trusted.pem, own.key, own.pem}), "patd.example");
  }
  Client WithoutCertificate() const {
    return Client(patd->address(), grpc::SslCredentials({server_ca.pem, "", ""}), "patd.example");
  }

  // A certificate with this alternative name, of the CA of clients.
  MadeCertificate Named(const std::string& name) const {
    return MakeCertificate({.common_name = "client", .names = {name}}, client_ca);
  }

  // A local user, with the password "{id}-password".
  void MakeUser(const Client& client, const std::string& id) const {
    v1::CreateUserRequest request;
    request.set_user_id(id);
    request.mutable_user()->set_type(v1::User::TYPE_LOCAL);
    request.mutable_user()->add_grants("*");
    request.set_password(id + "-password");
    CallOf<v1::UserService>(client, &v1::UserService::Stub::CreateUser, Administrator(), request).value();
  }

  static Headers Administrator() { return WithPassword(kAdministrator, kPassword); }

  // Whether its log, or an error of it, has said this until now.
  bool HasSaid(absl::string_view text) const {
    return patd->process().standard_error().find(std::string(text)) != std::string::npos;
  }

  const TestDirectory directory;
  const MadeCertificate server_ca = MakeCa("server CA");
  const MadeCertificate client_ca = MakeCa("client CA");
  std::unique_ptr<Patd> patd;
};

}  // namespace pat

#endif  // PAT_TESTS_E2E_AUTHORITY_PROCESS_H_

// SidecarProcesses: `patd authority` and any number of `patd sidecar` in front of it, over mutual TLS.
#ifndef PAT_TESTS_E2E_SIDECAR_PROCESSES_H_
#define PAT_TESTS_E2E_SIDECAR_PROCESSES_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tests/e2e/authority_process.h"

namespace pat {

// How an introspection ended, and when: before it was sent, and after the answer was here.
struct Asked {
  grpc::Status status;
  v1::IntrospectResponse response;
  absl::Time sent;
  absl::Time answered;

  bool is_active() const { return status.ok() && response.active(); }
};
inline Asked Ask(const Client& client, const std::string& secret, absl::Duration deadline = absl::Seconds(5)) {
  const auto stub = v1::IntrospectionService::NewStub(client.channel());
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + deadline));
  Asked asked;
  asked.sent = absl::Now();
  asked.status = stub->Introspect(&context, QuestionFor(secret), &asked.response);
  asked.answered = absl::Now();
  return asked;
}
inline Asked Ask(Patd& patd, const std::string& secret, absl::Duration deadline = absl::Seconds(5)) {
  return Ask(patd.client(), secret, deadline);
}

class SidecarProcesses {
 public:
  SidecarProcesses() {
    WriteClient(authority.Named("DNS:sidecar.example"));
    authority.Write("server-ca.crt", authority.server_ca.pem);
    StartAuthority();
    authority.MakeUser(Root(), "ada");
  }

  // The first time at a port that the system chooses, then at the same one.
  void StartAuthority() {
    std::vector<std::string> more = {"--identity", "dns=sidecar.example,role=introspector,digests=true",
                                     "--listen",   Socket("user"),
                                     "--listen",   Socket("portal")};
    if (port.empty()) {
      authority.Start(more);
      const std::vector<std::string> parts = absl::StrSplit(authority.patd->address(), ':');
      port = parts.back();
      return;
    }
    std::vector<std::string> arguments = {"--data-dir", authority.data_dir(), "--listen", "127.0.0.1:" + port};
    for (const std::string& argument : authority.TlsArguments()) arguments.push_back(argument);
    arguments.insert(arguments.end(), more.begin(), more.end());
    authority.patd =
        std::make_unique<Patd>(PatdCommand("authority", arguments, {"TMPDIR=" + authority.directory.path()}));
  }
  void KillAuthority() {
    authority.patd->process().Signal(SIGKILL);
    authority.patd->process().Wait();
  }

  // `name` is its socket's. Without waiting for the authority.
  std::unique_ptr<Patd> StartSidecar(const std::string& name, const std::vector<std::string>& more = {}) const {
    std::vector<std::string> arguments = {"--listen",         SidecarSocket(name),
                                          "--authority",      "127.0.0.1:" + port,
                                          "--authority-ca",   authority.directory / "server-ca.crt",
                                          "--authority-name", "patd.example",
                                          "--tls-cert",       authority.directory / "client.crt",
                                          "--tls-key",        authority.directory / "client.key"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return std::make_unique<Patd>(PatdCommand("sidecar", arguments, {"TMPDIR=" + authority.directory.path()}));
  }

  void WriteClient(const MadeCertificate& client) const {
    authority.Write("client.crt", client.pem);
    authority.Write("client.key", client.key, 0600);
  }

  std::string SidecarSocket(const std::string& name) const {
    return absl::StrCat("unix:", authority.directory / (name + ".sock"), "?role=introspector");
  }
  std::string Socket(const std::string& role) const {
    return absl::StrCat("unix:", authority.directory / (role + ".sock"), "?role=", role);
  }
  Client Root() const { return Client("unix:" + authority.directory / "user.sock"); }
  Client Portal() const { return Client("unix:" + authority.directory / "portal.sock"); }

  AuthorityProcess authority;
  std::string port;
};

}  // namespace pat

#endif  // PAT_TESTS_E2E_SIDECAR_PROCESSES_H_

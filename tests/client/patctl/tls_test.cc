// Whole commands over TLS, to a real server of gRPC.
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "tests/client/patctl/patctl_fixture.h"
#include "tests/client/test_certificate.h"

namespace pat::patctl {
namespace {

using client::FakeServer;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class TlsTest : public PatctlTest {
 protected:
  TlsTest() {
    std::string path = (std::filesystem::temp_directory_path() / "tls-test-XXXXXX").string();
    if (mkdtemp(path.data()) == nullptr) abort();
    directory_ = path;
    std::ofstream(directory_ / "cert.pem") << client::kTestCertificate;
    std::ofstream(directory_ / "key.pem") << client::kTestKey;
  }

  ~TlsTest() override { std::filesystem::remove_all(directory_); }

  // A server whose certificate is for localhost and 127.0.0.1.
  static std::unique_ptr<FakeServer> Listen(const std::string& host, bool mutual) {
    grpc::SslServerCredentialsOptions tls(mutual ? GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY
                                                 : GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE);
    tls.pem_root_certs = client::kTestCertificate;
    tls.pem_key_cert_pairs.push_back({client::kTestKey, client::kTestCertificate});
    return std::make_unique<FakeServer>(host + ":0", grpc::SslServerCredentials(tls));
  }

  int List(const FakeServer& server, std::vector<std::string> more) {
    more.insert(more.begin(), {"token", "list", "--server", server.address(), "--timeout", "5s"});
    return RunAsAda(std::move(more));
  }

  std::string File(const std::string& name) const { return (directory_ / name).string(); }

  std::filesystem::path directory_;
};

TEST_F(TlsTest, TheServerIsJudgedByItsAuthority) {
  const auto server = Listen("127.0.0.1", /*mutual=*/false);
  EXPECT_EQ(List(*server, {"--tls-ca", File("cert.pem")}), 0) << said();
  EXPECT_THAT(server->calls, ElementsAre("ListTokens"));
  server->calls.clear();
  EXPECT_EQ(List(*server, {"--tls"}), 1);
  EXPECT_THAT(said(), HasSubstr("UNAVAILABLE"));
  EXPECT_THAT(server->calls, IsEmpty());
}

TEST_F(TlsTest, TheServersNameMayBeGiven) {
  const auto server = Listen("127.0.0.2", /*mutual=*/false);
  // The certificate is not for this address.
  EXPECT_EQ(List(*server, {"--tls-ca", File("cert.pem")}), 1);
  EXPECT_THAT(said(), HasSubstr("UNAVAILABLE"));
  EXPECT_EQ(List(*server, {"--tls-ca", File("cert.pem"), "--tls-server-name", "pat.example.com"}), 1);
  EXPECT_THAT(server->calls, IsEmpty());
  for (const char* name : {"localhost", "127.0.0.1"}) {
    EXPECT_EQ(List(*server, {"--tls-ca", File("cert.pem"), "--tls-server-name", name}), 0) << said();
  }
  EXPECT_THAT(server->calls, ElementsAre("ListTokens", "ListTokens"));
}

TEST_F(TlsTest, AServersNameAloneMeansTls) {
  const auto server = Listen("127.0.0.1", /*mutual=*/false);
  EXPECT_EQ(List(*server, {"--tls-server-name", "localhost"}), 1);  // Nobody vouches for it.
  EXPECT_THAT(server->calls, IsEmpty());
}

TEST_F(TlsTest, ShowsItsOwnCertificateBesideThePassword) {
  const auto server = Listen("127.0.0.1", /*mutual=*/true);
  EXPECT_EQ(List(*server, {"--tls-ca", File("cert.pem"), "--tls-cert", File("cert.pem"), "--tls-key", File("key.pem")}),
            0)
      << said();
  EXPECT_THAT(server->authorizations, ElementsAre(HasSubstr("Basic ")));
  server->calls.clear();
  EXPECT_EQ(List(*server, {"--tls-ca", File("cert.pem")}), 1);
  EXPECT_THAT(said(), HasSubstr("UNAVAILABLE"));
  EXPECT_THAT(server->calls, IsEmpty());
}

TEST_F(TlsTest, ABadNameIsRefusedBeforeAnythingIsAsked) {
  for (const char* name : {"local host", "localhost/x", "https://localhost", "a\nb"}) {
    EXPECT_EQ(RunAsAda({"token", "list", "--tls-server-name", name, "--server", "127.0.0.1:1"}), 2) << name;
    EXPECT_THAT(said(), HasSubstr("is no name of a server"));
    EXPECT_THAT(prompts(), IsEmpty());
  }
}

}  // namespace
}  // namespace pat::patctl

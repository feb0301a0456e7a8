// Whole commands over TLS, to a real server of gRPC.
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/civil_time.h"
#include "tests/client/patctl/patctl_fixture.h"
#include "tests/client/test_certificate.h"
#include "tests/server/crypto/certificate_maker.h"

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

  // A server with this certificate, of a CA whose own is then in ca.pem; "mutual": it wants one of its clients too.
  std::unique_ptr<FakeServer> ListenAs(const CertificateWish& wish, bool mutual = false) {
    const MadeCertificate made = MakeCertificate(wish, ca_);
    std::ofstream(directory_ / "ca.pem") << ca_.pem;
    grpc::SslServerCredentialsOptions tls(mutual ? GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY
                                                 : GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE);
    tls.pem_root_certs = ca_.pem;
    tls.pem_key_cert_pairs.push_back({made.key, made.pem});
    return std::make_unique<FakeServer>("127.0.0.1:0", grpc::SslServerCredentials(tls));
  }

  // Files of a client with this certificate.
  std::vector<std::string> Own(const CertificateWish& wish, const MadeCertificate& ca) {
    const MadeCertificate made = MakeCertificate(wish, ca);
    std::ofstream(directory_ / "own.pem") << made.pem;
    std::ofstream(directory_ / "own.key") << made.key;
    chmod(File("own.key").c_str(), 0600);
    return {"--tls-ca", File("ca.pem"), "--tls-cert", File("own.pem"), "--tls-key", File("own.key")};
  }

  int List(const FakeServer& server, std::vector<std::string> more) {
    more.insert(more.begin(), {"token", "list", "--server", server.address(), "--timeout", "5s"});
    return RunAsAda(std::move(more));
  }

  std::string File(const std::string& name) const { return (directory_ / name).string(); }

  const CertificateWish kLocalhost = {.common_name = "server", .names = {"DNS:localhost", "IP:127.0.0.1"}};
  const MadeCertificate ca_ = MakeCa("test CA");
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

TEST_F(TlsTest, SaysThatNobodyListens) {
  EXPECT_EQ(RunAsAda({"token", "list", "--server", "127.0.0.1:1", "--tls"}), 1);
  EXPECT_THAT(said(), HasSubstr("  cause: nobody listens at 127.0.0.1:1\n"
                                "  hint: is --server (PATCTL_SERVER) right, and does the server run?\n"));
}

TEST_F(TlsTest, SaysThatTheServerSpeaksTls) {
  for (const bool mutual : {false, true}) {
    const auto server = ListenAs(kLocalhost, mutual);
    EXPECT_EQ(List(*server, {}), 1);
    EXPECT_THAT(said(),
                HasSubstr("breaks the plaintext connection off: it seems to speak TLS\n  hint: give --tls-ca FILE"));
  }
}

TEST_F(TlsTest, SaysThatTheServerSpeaksNoTls) {
  const FakeServer server("127.0.0.1:0", grpc::InsecureServerCredentials());
  EXPECT_EQ(List(server, {"--tls-ca", File("cert.pem")}), 1);
  EXPECT_THAT(said(), HasSubstr(" does not speak TLS\n  hint: is --server (PATCTL_SERVER) right?"));
}

TEST_F(TlsTest, SaysThatNobodyVouchesForTheServer) {
  const auto server = ListenAs(kLocalhost);
  EXPECT_EQ(List(*server, {"--tls"}), 1);
  EXPECT_THAT(said(), HasSubstr("  cause: the server's certificate is of no authority that is trusted here\n"
                                "  hint: give --tls-ca FILE (PATCTL_TLS_CA) with the certificate of the authority"));
  EXPECT_EQ(List(*server, {"--tls-ca", File("cert.pem")}), 1);
  EXPECT_THAT(said(), HasSubstr("cert.pem\" (--tls-ca, PATCTL_TLS_CA) is not the authority that signed it"));
  EXPECT_EQ(List(*server, {"--tls-ca", File("ca.pem")}), 0) << said();
}

TEST_F(TlsTest, SaysToWhomTheCertificateIsMadeOut) {
  const auto server = ListenAs({.common_name = "server", .names = {"DNS:pat.example", "IP:192.0.2.1"}});
  EXPECT_EQ(List(*server, {"--tls-ca", File("ca.pem")}), 1);
  EXPECT_THAT(said(), HasSubstr("  cause: the server's certificate is made out to pat.example, 192.0.2.1, not to "
                                "127.0.0.1\n  hint: if that is the server you mean, give a name that is in it with "
                                "--tls-server-name (PATCTL_TLS_SERVER_NAME)\n"));
  EXPECT_EQ(List(*server, {"--tls-ca", File("ca.pem"), "--tls-server-name", "other.example"}), 1);
  EXPECT_THAT(said(), HasSubstr("not to other.example\n"));
  EXPECT_EQ(List(*server, {"--tls-ca", File("ca.pem"), "--tls-server-name", "pat.example"}), 0) << said();
}

TEST_F(TlsTest, SaysThatTheCertificateHasExpiredOrIsNotValidYet) {
  CertificateWish wish = kLocalhost;
  wish.end = absl::FromCivil(absl::CivilDay(2021, 1, 1), absl::UTCTimeZone());
  EXPECT_EQ(List(*ListenAs(wish), {"--tls-ca", File("ca.pem")}), 1);
  EXPECT_THAT(said(),
              HasSubstr("  cause: the server's certificate expired 2021-01-01 00:00:00Z (2152d ago)\n"
                        "  hint: the server needs a new certificate, unless the clock of this machine is wrong: "
                        "here it is 2026-11-23 15:04:05Z\n"));
  wish.begin = absl::FromCivil(absl::CivilDay(2110, 1, 1), absl::UTCTimeZone());
  wish.end = absl::FromCivil(absl::CivilDay(2111, 1, 1), absl::UTCTimeZone());
  EXPECT_EQ(List(*ListenAs(wish), {"--tls-ca", File("ca.pem")}), 1);
  EXPECT_THAT(said(), HasSubstr("  cause: the server's certificate is not valid before 2110-01-01 00:00:00Z (in "));
}

TEST_F(TlsTest, SaysThatAClientCertificateIsMissingOrNotAccepted) {
  const auto server = ListenAs(kLocalhost, /*mutual=*/true);
  EXPECT_EQ(List(*server, {"--tls-ca", File("ca.pem")}), 1);
  EXPECT_THAT(said(), HasSubstr("breaks the TLS connection off: it seems to want a client certificate\n"
                                "  hint: give this client's with --tls-cert FILE and --tls-key FILE (PATCTL_TLS_CERT, "
                                "PATCTL_TLS_KEY)\n"));
  const CertificateWish client = {.common_name = "client", .names = {"DNS:client.example"}};
  EXPECT_EQ(List(*server, Own(client, MakeCa("other CA"))), 1);
  EXPECT_THAT(said(), HasSubstr("it seems not to accept this client's certificate\n"));
  CertificateWish ended = client;
  ended.end = absl::FromCivil(absl::CivilDay(2021, 1, 1), absl::UTCTimeZone());
  EXPECT_EQ(List(*server, Own(ended, ca_)), 1);
  EXPECT_THAT(said(), HasSubstr("  cause: this client's certificate expired 2021-01-01 00:00:00Z (2152d ago)\n"));
  EXPECT_THAT(server->calls, IsEmpty());
  EXPECT_EQ(List(*server, Own(client, ca_)), 0) << said();
}

TEST_F(TlsTest, SaysThatCertificateAndKeyAreNoPair) {
  const auto server = ListenAs(kLocalhost, /*mutual=*/true);
  std::vector<std::string> own = Own({.common_name = "client"}, ca_);
  own.back() = File("key.pem");
  EXPECT_EQ(List(*server, own), 1);
  EXPECT_THAT(said(), HasSubstr("  hint: --tls-key must be the key of the first certificate of --tls-cert"));
}

TEST_F(TlsTest, AKeyThatOthersCanReadIsWarnedAbout) {
  const auto server = ListenAs(kLocalhost, /*mutual=*/true);
  const std::vector<std::string> own = Own({.common_name = "client"}, ca_);
  EXPECT_EQ(List(*server, own), 0);
  EXPECT_EQ(said(), "no tokens\n");
  chmod(File("own.key").c_str(), 0644);
  EXPECT_EQ(List(*server, own), 0);
  EXPECT_EQ(said(), "patctl: warning: others can read \"" + File("own.key") + "\": chmod 600 \"" + File("own.key") +
                        "\"\nno tokens\n");
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

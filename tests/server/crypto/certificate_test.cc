// What may serve TLS and what may not. Every certificate is made here.
#include "server/crypto/certificate.h"

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/crypto/certificate_maker.h"

namespace pat {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const absl::Time kNow = absl::FromUnixSeconds(1'750'000'000);

std::string ChainError(const std::string& pem, absl::Time now = kNow) {
  const absl::Status status = ReadServerChain(pem, now).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), Not(HasSubstr("MII")));
  return std::string(status.message());
}

std::string CasError(const std::string& pem, absl::Time now = kNow) {
  const absl::Status status = ReadClientCas(pem, now).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  return std::string(status.message());
}

std::string KeyError(const std::string& pem, const std::string& chain) {
  const absl::Status status = ReadServerKey(Secret(std::string(pem)), chain).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), Not(HasSubstr("MII")));
  return std::string(status.message());
}

// ---- The chain.

TEST(ReadServerChainTest, GivesBackTheCertificatesWithoutTheTextAround) {
  const MadeCertificate ca = MakeCa("ca");
  const MadeCertificate server = MakeCertificate({.names = {"DNS:localhost"}, .uses = "serverAuth"}, ca);
  const absl::StatusOr<Certificates> chain =
      ReadServerChain(absl::StrCat("subject=test\n", server.pem, "\nissuer\n", ca.pem, "the end\n"), kNow);
  ASSERT_TRUE(chain.ok()) << chain.status();
  EXPECT_EQ(chain->pem, server.pem + ca.pem);
}

TEST(ReadClientChainTest, IsForAClientAndNotForAServer) {
  const MadeCertificate ca = MakeCa("CA");
  const MadeCertificate client = MakeCertificate({.uses = "clientAuth"}, ca);
  const MadeCertificate server = MakeCertificate({.uses = "serverAuth"}, ca);
  EXPECT_TRUE(ReadClientChain(client.pem, kNow).ok());
  EXPECT_FALSE(ReadServerChain(client.pem, kNow).ok());
  EXPECT_FALSE(ReadClientChain(server.pem, kNow).ok());
  EXPECT_TRUE(ReadClientChain(MakeCertificate({}, ca).pem, kNow).ok());
}

TEST(ReadServerChainTest, TakesEveryUsualKindOfKey) {
  for (const KeyKind kind : {KeyKind::kP256, KeyKind::kRsa2048, KeyKind::kEd25519}) {
    const MadeCertificate server = MakeCertificate({.key = kind});
    const absl::StatusOr<Certificates> chain = ReadServerChain(server.pem, kNow);
    ASSERT_TRUE(chain.ok()) << chain.status();
    const absl::StatusOr<Secret> key = ReadServerKey(Secret(std::string(server.key)), chain->pem);
    ASSERT_TRUE(key.ok()) << key.status();
    EXPECT_EQ(std::string(key->Reveal()), server.key);
  }
}

TEST(ReadServerChainTest, ExpiresWithTheFirstOfItsCertificates) {
  const absl::Time early = kNow + absl::Hours(1);
  const absl::Time late = kNow + absl::Hours(2);
  const MadeCertificate ca = MakeCertificate({.ca = true, .end = early});
  const MadeCertificate server = MakeCertificate({.end = late}, ca);
  EXPECT_EQ(ReadServerChain(server.pem, kNow)->expire_time, late);
  EXPECT_EQ(ReadServerChain(server.pem + ca.pem, kNow)->expire_time, early);
}

TEST(ReadServerChainTest, IsValidFromItsBeginToItsEnd) {
  const MadeCertificate server = MakeCertificate({.begin = kNow, .end = kNow + absl::Hours(1)});
  EXPECT_TRUE(ReadServerChain(server.pem, kNow).ok());
  EXPECT_TRUE(ReadServerChain(server.pem, kNow + absl::Hours(1) - absl::Nanoseconds(1)).ok());
  EXPECT_EQ(ChainError(server.pem, kNow - absl::Nanoseconds(1)),
            "certificate 1 is not valid before 2025-06-15T15:06:40Z");
  EXPECT_EQ(ChainError(server.pem, kNow + absl::Hours(1)), "certificate 1 ended at 2025-06-15T16:06:40Z");
}

TEST(ReadServerChainTest, WhatIsNoCertificateIsRefused) {
  const MadeCertificate server = MakeCertificate({});
  for (const std::string& none : {std::string(), std::string("hello\n"), std::string(100, '\0')}) {
    EXPECT_THAT(ChainError(none), HasSubstr("holds no certificate"));
  }
  EXPECT_THAT(ChainError(server.pem.substr(0, 200)), HasSubstr("block 1 is no PEM"));
  EXPECT_THAT(ChainError(server.pem + server.pem.substr(0, 200)), HasSubstr("block 2 is no PEM"));
  EXPECT_THAT(ChainError(server.pem + server.key), HasSubstr("something else than certificates"));
  EXPECT_THAT(ChainError("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
              HasSubstr("certificate 1 does not decode"));
}

TEST(ReadServerChainTest, OrderIsTheServersFirst) {
  const MadeCertificate root = MakeCa("root");
  const MadeCertificate middle = MakeCertificate({.common_name = "middle", .ca = true}, root);
  const MadeCertificate server = MakeCertificate({.common_name = "server"}, middle);
  EXPECT_TRUE(ReadServerChain(server.pem + middle.pem, kNow).ok());
  EXPECT_TRUE(ReadServerChain(server.pem + middle.pem + root.pem, kNow).ok());
  EXPECT_THAT(ChainError(middle.pem + server.pem), HasSubstr("certificate 2 did not issue certificate 1"));
  EXPECT_THAT(ChainError(server.pem + root.pem), HasSubstr("certificate 2 did not issue certificate 1"));
  EXPECT_THAT(ChainError(server.pem + middle.pem + middle.pem), HasSubstr("certificate 3 did not issue certificate 2"));
  // Another key under the same name.
  const MadeCertificate impostor = MakeCertificate({.common_name = "middle", .ca = true}, root);
  EXPECT_THAT(ChainError(server.pem + impostor.pem), HasSubstr("certificate 2 did not issue certificate 1"));
}

TEST(ReadServerChainTest, WhatLibrariesRefuseInTheHandshakeIsRefusedHere) {
  EXPECT_THAT(ChainError(MakeCertificate({.key = KeyKind::kRsa1024}).pem), HasSubstr("a key of 1024 bits"));
  const MadeCertificate ca = MakeCa("ca");
  EXPECT_THAT(ChainError(MakeCertificate({.sha1 = true}, ca).pem), HasSubstr("SHA-1"));
  EXPECT_TRUE(ReadServerChain(MakeCertificate({.common_name = "self", .sha1 = true}).pem, kNow).ok());
  EXPECT_THAT(ChainError(MakeCertificate({.uses = "clientAuth"}).pem), HasSubstr("is not for a server"));
}

// ---- The key.

TEST(ReadServerKeyTest, MustBeThatOfTheFirstCertificate) {
  const MadeCertificate ca = MakeCa("ca");
  const MadeCertificate server = MakeCertificate({}, ca);
  const std::string chain = server.pem + ca.pem;
  EXPECT_TRUE(ReadServerKey(Secret(std::string(server.key)), chain).ok());
  EXPECT_THAT(KeyError(ca.key, chain), HasSubstr("not the key of the first certificate"));
  EXPECT_THAT(KeyError(MakeCertificate({.key = KeyKind::kRsa2048}).key, chain), HasSubstr("not the key"));
}

TEST(ReadServerKeyTest, MustBeOneThatNeedsNoPassword) {
  const MadeCertificate server = MakeCertificate({});
  EXPECT_THAT(KeyError(Encrypted(server.key), server.pem), HasSubstr("is encrypted"));
  EXPECT_THAT(KeyError("-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAAAA\n"
                       "-----END EC PRIVATE KEY-----\n",
                       server.pem),
              HasSubstr("is encrypted"));
  EXPECT_THAT(KeyError("", server.pem), HasSubstr("holds 0 private keys"));
  EXPECT_THAT(KeyError(server.pem, server.pem), HasSubstr("holds 0 private keys"));
  EXPECT_THAT(KeyError(server.key + server.key, server.pem), HasSubstr("holds 2 private keys"));
  EXPECT_THAT(KeyError(server.key.substr(0, 100), server.pem), HasSubstr("no PEM"));
  EXPECT_THAT(KeyError(absl::StrReplaceAll(server.key, {{"MI", "AA"}}), server.pem), HasSubstr("does not decode"));
}

// As `openssl ecparam -genkey` writes it.
TEST(ReadServerKeyTest, ParametersBeforeItAreNoMatter) {
  const MadeCertificate server = MakeCertificate({});
  EXPECT_TRUE(ReadServerKey(
                  Secret("-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n" + server.key),
                  server.pem)
                  .ok());
}

// ---- The CAs of the clients.

TEST(ReadClientCasTest, OneThatHasEndedIsNoMatterBesideOneThatHasNot) {
  const MadeCertificate good = MakeCertificate({.ca = true, .end = kNow + absl::Hours(5)});
  const MadeCertificate ended = MakeCertificate({.ca = true, .end = kNow});
  const MadeCertificate future = MakeCertificate({.ca = true, .begin = kNow + absl::Hours(1)});
  const absl::StatusOr<Certificates> both = ReadClientCas(ended.pem + good.pem + future.pem, kNow);
  ASSERT_TRUE(both.ok()) << both.status();
  EXPECT_EQ(both->expire_time, kNow + absl::Hours(5));
  EXPECT_EQ(both->pem, ended.pem + good.pem + future.pem);
  EXPECT_THAT(CasError(ended.pem + future.pem), HasSubstr("certificate 1 ended at "));
  EXPECT_THAT(CasError(future.pem), HasSubstr("certificate 1 is not valid before "));
}

TEST(ReadClientCasTest, EveryOneMustBeACa) {
  const MadeCertificate ca = MakeCa("ca");
  EXPECT_TRUE(ReadClientCas(ca.pem, kNow).ok());
  EXPECT_THAT(CasError(ca.pem + MakeCertificate({}, ca).pem), HasSubstr("certificate 2 is no CA"));
  EXPECT_THAT(CasError(""), HasSubstr("holds no certificate"));
  EXPECT_THAT(CasError(ca.pem + ca.key), HasSubstr("something else"));
  EXPECT_THAT(CasError(MakeCertificate({.ca = true, .key = KeyKind::kRsa1024}).pem), HasSubstr("1024 bits"));
}

}  // namespace
}  // namespace pat

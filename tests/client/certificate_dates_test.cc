#include "client/certificate_dates.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/time/civil_time.h"
#include "tests/client/test_certificate.h"
#include "tests/server/crypto/certificate_maker.h"

namespace pat::client {
namespace {

absl::Time Utc(int year, int month, int day) {
  return absl::FromCivil(absl::CivilDay(year, month, day), absl::UTCTimeZone());
}

TEST(CertificateDatesTest, AreThoseOfTheCertificate) {
  const auto dates = ReadCertificateDates(kTestCertificate);
  ASSERT_TRUE(dates.has_value());
  EXPECT_EQ(dates->begin, Utc(2020, 1, 1));
  EXPECT_EQ(dates->end, Utc(2120, 1, 1));  // Beyond 2049 a certificate writes them in another way.
}

TEST(CertificateDatesTest, AreReadOfEveryKindOfKey) {
  for (const KeyKind key : {KeyKind::kP256, KeyKind::kRsa2048, KeyKind::kEd25519}) {
    const absl::Time begin = Utc(2049, 12, 31) + absl::Seconds(86'399);
    const absl::Time end = Utc(2050, 1, 1) + absl::Seconds(3'661);
    const auto dates = ReadCertificateDates(MakeCertificate({.key = key, .begin = begin, .end = end}).pem);
    ASSERT_TRUE(dates.has_value());
    EXPECT_EQ(dates->begin, begin);
    EXPECT_EQ(dates->end, end);
  }
}

TEST(CertificateDatesTest, OfSeveralTheFirstCounts) {
  const std::string first = MakeCertificate({.end = Utc(2031, 1, 1)}).pem;
  const auto dates = ReadCertificateDates(absl::StrCat("text\n", kTestKey, first, kTestCertificate));
  ASSERT_TRUE(dates.has_value());
  EXPECT_EQ(dates->end, Utc(2031, 1, 1));
}

TEST(CertificateDatesTest, WhatIsNoCertificateHasNone) {
  for (const char* pem :
       {"", "text", "-----BEGIN CERTIFICATE-----", "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n",
        "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"}) {
    EXPECT_FALSE(ReadCertificateDates(pem).has_value()) << pem;
  }
  EXPECT_FALSE(ReadCertificateDates(kTestKey).has_value());
}

// What comes from a server may be anything: it must be read without reading beyond it.
TEST(CertificateDatesTest, ABrokenCertificateIsReadNoFurtherThanItGoes) {
  const std::string pem = kTestCertificate;
  const size_t begin = pem.find('\n') + 1;
  std::string der;
  ASSERT_TRUE(absl::Base64Unescape(pem.substr(begin, pem.find("-----END") - begin), &der));
  const auto read = [](const std::string& content) {
    return ReadCertificateDates(
        absl::StrCat("-----BEGIN CERTIFICATE-----\n", absl::Base64Escape(content), "\n-----END CERTIFICATE-----\n"));
  };
  ASSERT_TRUE(read(der).has_value());
  for (size_t length = 0; length < der.size(); ++length) EXPECT_FALSE(read(der.substr(0, length)).has_value());
  for (size_t i = 0; i < der.size(); ++i) {
    for (const char value : {'\x00', '\x7f', '\x80', '\x84', '\xff'}) {
      std::string changed = der;
      changed[i] = value;
      read(changed);
    }
  }
}

}  // namespace
}  // namespace pat::client

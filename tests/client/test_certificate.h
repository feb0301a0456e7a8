// A certificate for "localhost" and 127.0.0.1 that vouches for itself, and its key. For these tests only: the key is
// public. Good from 2020 to 2120. P-256; made with openssl ca -selfsign.
#ifndef PAT_TESTS_CLIENT_TEST_CERTIFICATE_H_
#define PAT_TESTS_CLIENT_TEST_CERTIFICATE_H_

namespace pat::client {

inline constexpr char kTestCertificate[] =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBZDCCAQugAwIBAgIBATAKBggqhkjOPQQDAjATMREwDwYDVQQDDAhwYXQgdGVz\n"
    "dDAgFw0yMDAxMDEwMDAwMDBaGA8yMTIwMDEwMTAwMDAwMFowEzERMA8GA1UEAwwI\n"
    "cGF0IHRlc3QwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAASpK0z1bjTMiGpiXLoc\n"
    "6+mfqsfvKr1FPGVDkQDWqvRJ4wOP0f7DzSc7LpL0fjFdcHwwneeIiRYXHLlOViPK\n"
    "M/O5o04wTDAPBgNVHRMBAf8EBTADAQH/MBoGA1UdEQQTMBGCCWxvY2FsaG9zdIcE\n"
    "fwAAATAdBgNVHQ4EFgQUh+/rLjU7hf0WTF4lzGfr3LvMpWMwCgYIKoZIzj0EAwID\n"
    "RwAwRAIgBroGIuVjdx3fRX0av+2W6Tsk/9E8hDi/764MLpG2jHECIGhoHUmiWx+I\n"
    "1b9IK5LSLptFpx3Sjc/CQ+CU0tp9YVWY\n"
    "-----END CERTIFICATE-----\n";

inline constexpr char kTestKey[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgbD9BMWKNumUFlw09\n"
    "WxgLM+23TdVwG17ISXHbwVfBIsWhRANCAASpK0z1bjTMiGpiXLoc6+mfqsfvKr1F\n"
    "PGVDkQDWqvRJ4wOP0f7DzSc7LpL0fjFdcHwwneeIiRYXHLlOViPKM/O5\n"
    "-----END PRIVATE KEY-----\n";

}  // namespace pat::client

#endif  // PAT_TESTS_CLIENT_TEST_CERTIFICATE_H_

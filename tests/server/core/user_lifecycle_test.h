// UserLifecycleTest: the rules for users over the memory engine. Root is the one administrator; ada, bob and dora (who
// comes from a directory) are users.
#ifndef PAT_TESTS_SERVER_CORE_USER_LIFECYCLE_TEST_H_
#define PAT_TESTS_SERVER_CORE_USER_LIFECYCLE_TEST_H_

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "server/core/passwords.h"
#include "server/core/user_lifecycle.h"
#include "server/crypto/digest.h"
#include "tests/support/refusal.h"
#include "tests/support/test_authority.h"

namespace pat {

// Passwords without scrypt: what is kept is a SHA-256.
class FakePasswords final : public Passwords {
 public:
  explicit FakePasswords(const TokenReader& store) : store_(store) {}

  absl::StatusOr<PasswordRecord> Make(absl::string_view password) override {
    {
      const absl::MutexLock lock(&mutex_);
      ++made_;
      if (!failure_.ok()) return failure_;
    }
    Happen();
    return RecordOf(password);
  }

  // A record with a salt of its own, as no other has.
  PasswordRecord RecordOf(absl::string_view password) {
    const absl::MutexLock lock(&mutex_);
    PasswordRecord record;
    record.salt = absl::StrCat("salt ", ++salts_);
    record.hash = Sha256(password);
    return record;
  }

  // What happens, once, while the next password is made: after all that a rule looks at before, and before its commit.
  void Meanwhile(std::function<void()> meanwhile) {
    const absl::MutexLock lock(&mutex_);
    meanwhile_ = std::move(meanwhile);
  }

  absl::StatusOr<bool> IsRight(absl::string_view user_id, absl::string_view password, absl::string_view peer) override {
    const absl::MutexLock lock(&mutex_);
    ++judged_;
    peer_ = std::string(peer);
    if (!failure_.ok()) return failure_;
    const absl::StatusOr<std::optional<UserRecord>> user = store_.GetUser(user_id);
    if (!user.ok()) return user.status();
    if (!user->has_value() || (*user)->type != UserType::kLocal || (*user)->disabled) return false;
    const absl::StatusOr<std::optional<PasswordRecord>> kept = store_.GetPassword((*user)->uid);
    if (!kept.ok()) return kept.status();
    return kept->has_value() && (*kept)->hash == Sha256(password);
  }

  void FailWith(const absl::Status& failure) {
    const absl::MutexLock lock(&mutex_);
    failure_ = failure;
  }

  size_t made() const {
    const absl::MutexLock lock(&mutex_);
    return made_;
  }
  size_t judged() const {
    const absl::MutexLock lock(&mutex_);
    return judged_;
  }
  std::string peer() const {
    const absl::MutexLock lock(&mutex_);
    return peer_;
  }

 private:
  void Happen() {
    std::function<void()> meanwhile;
    {
      const absl::MutexLock lock(&mutex_);
      meanwhile = std::exchange(meanwhile_, nullptr);
    }
    if (meanwhile) meanwhile();
  }

  const TokenReader& store_;

  mutable absl::Mutex mutex_;
  std::function<void()> meanwhile_ ABSL_GUARDED_BY(mutex_);
  int salts_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t made_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t judged_ ABSL_GUARDED_BY(mutex_) = 0;
  std::string peer_ ABSL_GUARDED_BY(mutex_);
  absl::Status failure_ ABSL_GUARDED_BY(mutex_);
};

class UserLifecycleTest : public testing::Test {
 protected:
  UserLifecycleTest() {
    for (const absl::string_view id : {"ada", "bob", "dora", "root"}) authority_.AddUser(id);
    authority_.ChangeUser("dora", [](UserRecord& user) { user.type = UserType::kDirectory; });
    authority_.ChangeUser("root", [](UserRecord& user) { user.administrator = true; });
    GivePassword("root");
  }

  absl::Time Now() const { return authority_.clock.Now(); }
  void Advance(absl::Duration duration) { authority_.time.Advance(duration); }

  // Everybody who is no administrator.
  static std::vector<Principal> Others() {
    return {{},
            AsUser("ada"),
            {.kind = PrincipalKind::kPortal, .user_id = "ada"},
            {.kind = PrincipalKind::kPortal, .user_id = "root", .administrator = true},
            {.kind = PrincipalKind::kToken, .user_id = "root", .administrator = true},
            {.kind = PrincipalKind::kIntrospector}};
  }

  // "root-password" and so on. Not through the rules: no row of the audit log, nothing counted.
  void GivePassword(absl::string_view id) {
    const UserUid uid = Kept(id).value().uid;
    const PasswordRecord record = passwords_.RecordOf(absl::StrCat(id, "-password"));
    const absl::Status done = authority_.engine->Commit([&](TokenTransaction& transaction) -> absl::StatusOr<Decision> {
      if (absl::Status put = transaction.PutPassword(uid, record); !put.ok()) return put;
      return Decision::kCommit;
    });
    EXPECT_TRUE(done.ok()) << done;
  }

  std::optional<UserRecord> Kept(absl::string_view id) { return authority_.engine->GetUser(id).value(); }
  std::optional<PasswordRecord> KeptPassword(absl::string_view id) {
    return authority_.engine->GetPassword(Kept(id).value().uid).value();
  }
  bool HasPassword(absl::string_view id, absl::string_view password) {
    const std::optional<PasswordRecord> kept = KeptPassword(id);
    return kept.has_value() && kept->hash == Sha256(password);
  }
  std::string EtagOf(absl::string_view id) { return UserLifecycle::EtagOf(Kept(id).value()); }
  uint64_t CommitSequence() const { return authority_.engine->CommitSequence(); }

  // The rows of the audit log, oldest first.
  std::vector<AuditRecord> Audit() { return authority_.engine->ListAudit({.limit = 100}).value().rows; }

  TestAuthority authority_;
  FakePasswords passwords_{*authority_.engine};
  UserLifecycle users_{authority_.store, *authority_.catalog, passwords_,
                       authority_.audit, *authority_.peppers, authority_.clock};
  const Principal root_ = AsAdministrator("root");
};

}  // namespace pat

#endif  // PAT_TESTS_SERVER_CORE_USER_LIFECYCLE_TEST_H_

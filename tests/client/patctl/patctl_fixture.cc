#include "tests/client/patctl/patctl_fixture.h"

#include "absl/strings/str_cat.h"
#include "client/patctl/run.h"
#include "client/patctl/time_text.h"

namespace pat::patctl {

v1::Token MakeToken(const std::string& uid, const std::string& display_name) {
  v1::Token token;
  token.set_uid(uid);
  token.set_name(absl::StrCat("users/ada/tokens/", uid));
  token.set_display_name(display_name);
  token.add_scopes("OR.Folders.Read");
  token.add_scopes("TM.Defects.Read");
  token.set_state(v1::Token::STATE_ACTIVE);
  *token.mutable_create_time() = ToProto(client::ManualClock::Start() - absl::Hours(1));
  *token.mutable_expire_time() = ToProto(client::ManualClock::Start() + absl::Hours(24 * 30));
  token.set_etag(absl::StrCat("etag of ", display_name));
  return token;
}

v1::User MakeUser(const std::string& id, const std::vector<std::string>& grants) {
  v1::User user;
  user.set_name(absl::StrCat("users/", id));
  user.set_type(v1::User::TYPE_LOCAL);
  user.mutable_grants()->Assign(grants.begin(), grants.end());
  user.set_uid(absl::StrCat("uid of ", id));
  *user.mutable_create_time() = ToProto(client::ManualClock::Start() - absl::Hours(1));
  user.set_etag(absl::StrCat("etag of ", id));
  return user;
}

int PatctlTest::Run(std::vector<std::string> arguments) {
  // In front: a --server among the arguments counts instead.
  arguments.insert(arguments.begin(), {"patctl", "--server", server_.address()});
  std::vector<const char*> argv;
  for (const std::string& argument : arguments) argv.push_back(argument.c_str());
  const int status = patctl::Run(static_cast<int>(argv.size()), argv.data(), *console_, clock_);
  written_ = console_->written();
  said_ = console_->said();
  prompts_ = console_->hidden_prompts;
  console_ = std::make_unique<FakeConsole>();
  return status;
}

int PatctlTest::RunAsAda(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {"--user", "ada"});
  console_->hidden_answers.push_front("ada-password");
  return Run(std::move(arguments));
}

int PatctlTest::RunAsAdmin(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {"--user", "admin"});
  console_->hidden_answers.push_front("admin-password");
  return Run(std::move(arguments));
}

}  // namespace pat::patctl

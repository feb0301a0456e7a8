#include "client/patctl/token_secret_output.h"

#include "absl/strings/str_cat.h"
#include "client/patctl/exit_code.h"
#include "client/patctl/text.h"
#include "client/patctl/token_view.h"
#include "client/secret_text.h"

namespace pat::patctl {

absl::Status HandOverSecret(const google::protobuf::Message& response, const v1::Token& token, std::string& secret,
                            Session& session) {
  if (secret.empty()) {
    return Failed(absl::StrCat("the server answered no secret for ", Describe(token), "; regenerate it to get one"));
  }
  session.Say("copy the secret now, it is not shown again");
  absl::Status printed;
  if (session.options().json) {
    printed = session.PrintJson(response);
  } else {
    std::string line = Printable(secret);
    line.reserve(line.size() + 1);
    line += '\n';
    printed = session.Print(line);
    client::WipeString(line);
  }
  client::WipeString(secret);
  if (printed.ok()) return absl::OkStatus();
  return Failed(absl::StrCat(printed.message(), ": the secret of ", Describe(token),
                             " is lost; regenerate the token, or revoke it"));
}

}  // namespace pat::patctl

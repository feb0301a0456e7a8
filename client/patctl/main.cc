#include <signal.h>
#include <stdlib.h>

#include "client/clock.h"
#include "client/patctl/run.h"
#include "client/patctl/system_console.h"

int main(int argc, char** argv) {
  // These two make gRPC print headers, and with them passwords. NONE also keeps its own remarks from our standard
  // error.
  unsetenv("GRPC_TRACE");
  setenv("GRPC_VERBOSITY", "NONE", 1);
  // A reader that has gone away is an error of writing, to be told about: the text may have been a secret.
  signal(SIGPIPE, SIG_IGN);
  pat::patctl::SystemConsole console;
  return pat::patctl::Run(argc, argv, console, pat::client::SystemClock());
}

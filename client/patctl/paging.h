// Lists that the server hands out in pages.
//
// Threads: used by one thread.
#ifndef PAT_CLIENT_PATCTL_PAGING_H_
#define PAT_CLIENT_PATCTL_PAGING_H_

#include "absl/status/status.h"
#include "client/patctl/exit_code.h"
#include "client/patctl/session.h"
#include "grpcpp/client_context.h"
#include "grpcpp/support/status.h"

namespace pat::patctl {

// The most that a server hands out at a time.
inline constexpr int kLargestPage = 200;

// Calls a listing method from its first page to its last one, and `take` with each response.
template <typename Stub, typename Request, typename Response, typename Take>
absl::Status ForEachPage(Stub& stub, grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                         Request request, Take take, Session& session) {
  request.set_page_size(kLargestPage);
  while (true) {
    Response response;
    absl::Status status = session.Call(stub, method, request, &response);
    if (!status.ok()) return status;
    take(response);
    if (response.next_page_token().empty()) return absl::OkStatus();
    if (response.next_page_token() == request.page_token()) return Failed("the server answers the same page for ever");
    request.set_page_token(response.next_page_token());
  }
}

}  // namespace pat::patctl

#endif  // PAT_CLIENT_PATCTL_PAGING_H_

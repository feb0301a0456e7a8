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
#include "pat/v1/token_service.grpc.pb.h"

namespace pat::patctl {

// Calls a listing method from its first page to its last one, and `take` with each response.
template <typename Request, typename Response, typename Take>
absl::Status ForEachPage(grpc::Status (v1::TokenService::Stub::*method)(grpc::ClientContext*, const Request&,
                                                                        Response*),
                         Request request, Take take, Session& session) {
  request.set_page_size(200);  // The most that the server hands out at a time.
  while (true) {
    Response response;
    absl::Status status = session.Call(session.tokens(), method, request, &response);
    if (!status.ok()) return status;
    take(response);
    if (response.next_page_token().empty()) return absl::OkStatus();
    if (response.next_page_token() == request.page_token()) return Failed("the server answers the same page for ever");
    request.set_page_token(response.next_page_token());
  }
}

}  // namespace pat::patctl

#endif  // PAT_CLIENT_PATCTL_PAGING_H_

// QueueEvent: what a tag on the completion queue of IntrospectionServiceImpl points to.
#ifndef PAT_SERVER_RPC_QUEUE_EVENT_H_
#define PAT_SERVER_RPC_QUEUE_EVENT_H_

namespace pat {

class QueueEvent {
 public:
  // On the thread of the queue, which must not wait. `ok`: as gRPC's.
  virtual void Proceed(bool ok) = 0;

 protected:
  ~QueueEvent() = default;
};

}  // namespace pat

#endif  // PAT_SERVER_RPC_QUEUE_EVENT_H_

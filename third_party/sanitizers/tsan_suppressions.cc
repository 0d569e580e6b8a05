// What ThreadSanitizer reports though it is no race: a program has one such list.

extern "C" {

const char* __tsan_default_suppressions() {
  return
      // A descriptor that a ring has closed: ThreadSanitizer does not see that, and takes
      // the next file with its number for the same one, which another thread closes.
      "race_top:interceptor_close$\n"
      // Memory that gRPC handed on by a lock-free queue (tsan_grpc.cc) and that an
      // intercepted function (memcpy, recvmsg, operator delete) then touches in it. Only
      // functions inside gRPC and abseil are listed, none of which ever calls our code.
      "race:absl::debian3::synchronization_internal::GraphCycles\n"
      "race:fd_create\n"
      "race:grpc_core::Arena::Destroy\n"
      "race:grpc_core::FilterStackCall::~FilterStackCall\n"
      "race:grpc_core::Server::AllocatingRequestMatcherRegistered\n"
      "race:grpc_core::internal::StatusMoveFromHeapPtr\n"
      "race:grpc_event_engine::experimental::MemoryAllocator::MakeSlice\n"
      "race:grpc_slice_buffer_\n"
      "race:tcp_do_read\n"
      "race:^cq_next\n";
}

}  // extern "C"

#include "bench/io_models/regular_file_answers.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "bench/io_models/descriptor.h"
#include "bench/io_models/errors.h"
#include "bench/io_models/uring.h"

namespace ringcp::io_models {
namespace {

using Page = std::array<char, 4096>;

// The answer of a call that returned `result`: "returns N", or the errno.
std::string Returned(ssize_t result) {
  return result < 0 ? ErrnoText(errno) : absl::StrCat("returns ", result);
}

std::string AskSelect(int descriptor) {
  if (descriptor >= FD_SETSIZE) return "not asked: the descriptor is beyond FD_SETSIZE";
  fd_set readable;
  fd_set writable;
  FD_ZERO(&readable);
  FD_ZERO(&writable);
  FD_SET(descriptor, &readable);
  FD_SET(descriptor, &writable);
  timeval no_time = {};
  const int result = select(descriptor + 1, &readable, &writable, nullptr, &no_time);
  if (result < 0) return ErrnoText(errno);
  return absl::StrCat(FD_ISSET(descriptor, &readable) ? "readable" : "not readable", ", ",
                      FD_ISSET(descriptor, &writable) ? "writable" : "not writable");
}

std::string PollEvents(unsigned events) {
  std::string text;
  if ((events & POLLIN) != 0) absl::StrAppend(&text, "POLLIN ");
  if ((events & POLLOUT) != 0) absl::StrAppend(&text, "POLLOUT ");
  if ((events & POLLERR) != 0) absl::StrAppend(&text, "POLLERR ");
  return text.empty() ? "nothing is ready" : absl::StrCat(text, "at once");
}

std::string AskPoll(int descriptor) {
  pollfd entry = {.fd = descriptor, .events = POLLIN | POLLOUT, .revents = 0};
  if (poll(&entry, 1, 0) < 0) return ErrnoText(errno);
  return PollEvents(static_cast<unsigned short>(entry.revents));
}

std::string AskEpoll(int descriptor) {
  const Descriptor epoll(epoll_create1(EPOLL_CLOEXEC));
  if (!epoll.valid()) return absl::StrCat("epoll_create1: ", ErrnoText(errno));
  epoll_event event = {};
  event.events = EPOLLIN;
  return Returned(epoll_ctl(epoll.get(), EPOLL_CTL_ADD, descriptor, &event));
}

std::string AskUringPoll(int descriptor) {
  absl::StatusOr<std::unique_ptr<Uring>> uring = Uring::Create({.entries = 1});
  if (!uring.ok()) return std::string(uring.status().message());
  io_uring_prep_poll_add((*uring)->NextEntry(), descriptor, POLLIN | POLLOUT);
  const absl::Status status = (*uring)->SubmitAndWait();
  if (!status.ok()) return std::string(status.message());
  std::string answer = "no answer";
  (*uring)->TakeCompletions([&](const io_uring_cqe& completion) {
    answer = completion.res < 0 ? ErrnoText(-completion.res)
                                : PollEvents(static_cast<unsigned>(completion.res));
  });
  return answer;
}

// Whether O_ASYNC can be set, stays set, and sends a signal when the file is read.
std::string AskAsync(int descriptor) {
  sigset_t signals;
  sigset_t before;
  sigemptyset(&signals);
  sigaddset(&signals, SIGIO);
  sigaddset(&signals, SIGRTMIN);
  pthread_sigmask(SIG_BLOCK, &signals, &before);
  const f_owner_ex owner = {.type = F_OWNER_TID, .pid = gettid()};
  const int flags = fcntl(descriptor, F_GETFL);
  fcntl(descriptor, F_SETOWN_EX, &owner);
  std::string answer = Returned(fcntl(descriptor, F_SETFL, flags | O_ASYNC));
  const bool stays = (fcntl(descriptor, F_GETFL) & O_ASYNC) != 0;
  Page page;
  const ssize_t count = pread(descriptor, page.data(), page.size(), 0);
  const timespec no_time = {};
  const bool has_signal = sigtimedwait(&signals, nullptr, &no_time) > 0;
  absl::StrAppend(
      &answer, stays ? ", the flag stays" : ", but the flag is not set",
      count >= 0 && has_signal ? ", reading brings a signal" : ", no signal ever comes");
  fcntl(descriptor, F_SETFL, flags);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return answer;
}

std::string AskSetSignal(int descriptor) {
  const int before = fcntl(descriptor, F_GETSIG);
  std::string answer = Returned(fcntl(descriptor, F_SETSIG, SIGRTMIN));
  if (before >= 0) fcntl(descriptor, F_SETSIG, before);
  return answer;
}

// Makes the next read take the first page from the device, if the kernel follows the
// advice.
void Uncache(int descriptor) { posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED); }

std::string AskNonblocking(int descriptor) {
  const int flags = fcntl(descriptor, F_GETFL);
  if (fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) != 0) return ErrnoText(errno);
  Uncache(descriptor);
  Page page;
  const ssize_t count = pread(descriptor, page.data(), page.size(), 0);
  std::string answer = Returned(count);
  if (count > 0) absl::StrAppend(&answer, ": it waited for the device");
  fcntl(descriptor, F_SETFL, flags);
  return answer;
}

std::string AskNowait(int descriptor) {
  Uncache(descriptor);
  Page page;
  const iovec vector = {.iov_base = page.data(), .iov_len = page.size()};
  return Returned(preadv2(descriptor, &vector, 1, 0, RWF_NOWAIT));
}

}  // namespace

std::vector<Answer> AskRegularFile(int descriptor) {
  return {
      {"select, for reading and writing", AskSelect(descriptor)},
      {"poll, POLLIN | POLLOUT", AskPoll(descriptor)},
      {"epoll_ctl, EPOLL_CTL_ADD", AskEpoll(descriptor)},
      {"io_uring, IORING_OP_POLL_ADD", AskUringPoll(descriptor)},
      {"fcntl, F_SETSIG", AskSetSignal(descriptor)},
      {"fcntl, F_SETFL with O_ASYNC", AskAsync(descriptor)},
      {"read with O_NONBLOCK of what is not cached", AskNonblocking(descriptor)},
      {"preadv2 with RWF_NOWAIT of what is not cached", AskNowait(descriptor)},
  };
}

}  // namespace ringcp::io_models

#include "tests/child_process.h"

#include <fcntl.h>
#include <grp.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"

namespace ringcp {

std::string InChildProcess(const std::function<std::string()>& body) {
  int ends[2];
  RINGCP_CHECK(pipe2(ends, O_CLOEXEC) == 0);
  const pid_t child = fork();
  RINGCP_CHECK(child >= 0);
  if (child == 0) {
    const std::string result = body();
    for (size_t done = 0; done < result.size();) {
      const ssize_t written = write(ends[1], result.data() + done, result.size() - done);
      RINGCP_CHECK(written > 0);
      done += static_cast<size_t>(written);
    }
    _exit(0);
  }
  close(ends[1]);
  std::string result;
  std::array<char, 4096> buffer;
  ssize_t size = 0;
  while ((size = read(ends[0], buffer.data(), buffer.size())) > 0) {
    result.append(buffer.data(), static_cast<size_t>(size));
  }
  close(ends[0]);
  int status = 0;
  RINGCP_CHECK(waitpid(child, &status, 0) == child);
  if (WIFSIGNALED(status)) return absl::StrCat("killed by signal ", WTERMSIG(status));
  if (status != 0) return absl::StrCat("exited with ", WEXITSTATUS(status));
  return result;
}

void BecomeOrdinaryUser() {
  if (geteuid() != 0) return;
  RINGCP_CHECK(setgroups(0, nullptr) == 0);
  RINGCP_CHECK(setresgid(kOrdinaryUser, kOrdinaryUser, kOrdinaryUser) == 0);
  RINGCP_CHECK(setresuid(kOrdinaryUser, kOrdinaryUser, kOrdinaryUser) == 0);
}

}  // namespace ringcp

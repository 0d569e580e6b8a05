#include "cli/overwrite_prompt.h"

#include <fcntl.h>
#include <locale.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/file_error.h"

namespace ringcp {
namespace {

// Like mv(1), takes every symbolic link for writable.
bool IsWritable(std::string_view path, mode_t mode) {
  return S_ISLNK(mode) || geteuid() == 0 ||
         faccessat(AT_FDCWD, std::string(path).c_str(), W_OK, AT_EACCESS) == 0;
}

bool MeansYes(const std::string& line) {
  // Only here: elsewhere messages are not translated.
  static const locale_t kLocale =
      newlocale(LC_CTYPE_MASK | LC_MESSAGES_MASK, "", nullptr);
  const locale_t former = kLocale != nullptr ? uselocale(kLocale) : nullptr;
  const bool is_yes = rpmatch(line.c_str()) > 0;
  if (former != nullptr) uselocale(former);
  return is_yes;
}

}  // namespace

std::string PermissionLetters(mode_t mode) {
  std::string letters = "rwxrwxrwx";
  for (int i = 0; i < 9; ++i) {
    if ((mode & (0400u >> i)) == 0) letters[i] = '-';
  }
  const auto mark = [&](mode_t bit, int at, char with_execute, char without) {
    if ((mode & bit) != 0) letters[at] = letters[at] == 'x' ? with_execute : without;
  };
  mark(S_ISUID, 2, 's', 'S');
  mark(S_ISGID, 5, 's', 'S');
  mark(S_ISVTX, 8, 't', 'T');
  return letters;
}

std::string OverwriteQuestion(std::string_view target, mode_t mode, bool removes) {
  if (IsWritable(target, mode)) return absl::StrCat("overwrite ", Quote(target), "? ");
  const mode_t bits = mode & 07777;
  return removes ? absl::StrFormat("replace %s, overriding mode %04o (%s)? ",
                                   Quote(target), bits, PermissionLetters(mode))
                 : absl::StrFormat("unwritable %s (mode %04o, %s); try anyway? ",
                                   Quote(target), bits, PermissionLetters(mode));
}

OverwritePrompt::~OverwritePrompt() {
  if (!unread_.empty()) lseek(descriptor_, -static_cast<off_t>(unread_.size()), SEEK_CUR);
}

bool OverwritePrompt::Read() {
  for (;;) {
    if (stopped_.load(std::memory_order_relaxed)) return false;
    pollfd polled = {.fd = descriptor_, .events = POLLIN, .revents = 0};
    const int ready = poll(&polled, 1, kPollMilliseconds);
    if (ready == 0 || (ready < 0 && errno == EINTR)) continue;
    std::array<char, 4096> buffer;
    const ssize_t size = read(descriptor_, buffer.data(), buffer.size());
    if (size < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (size <= 0) return false;
    unread_.append(buffer.data(), static_cast<size_t>(size));
    return true;
  }
}

bool OverwritePrompt::ReadAnswer() {
  if (stopped_.load(std::memory_order_relaxed)) return false;
  size_t end = std::string::npos;
  while ((end = unread_.find('\n')) == std::string::npos) {
    if (Read()) continue;
    // As in GNU cp a last line counts without its newline, too.
    end = unread_.size();
    if (end == 0 || stopped_.load(std::memory_order_relaxed)) return false;
    break;
  }
  const std::string line = unread_.substr(0, end);
  unread_.erase(0, end + 1);
  return MeansYes(line);
}

}  // namespace ringcp

// SELinux's labels ("contexts"). A thread says which label the next thing that it makes
// is to have (fscreate, see setfscreatecon(3)), so that it has it from the beginning.
// What the system's policy says about names is asked of libselinux, which is loaded when
// the first name is asked about. It is not linked, because it looks at several files
// whenever a program starts; and it has to understand the files of the policy, so it has
// to be the system's own.
//
// io_uring would make things with the label that its thread has when the op comes to run,
// which may not be the op's own. So what has a label is made by system calls.
//
// Thread-safety: the functions may be called by any thread. "Next" is about the thread.

#ifndef RINGCP_CORE_KERNEL_SECURITY_LABELS_H_
#define RINGCP_CORE_KERNEL_SECURITY_LABELS_H_

#include <sys/types.h>

#include <cstdint>

namespace ringcp {

// The attribute that a file's label is stored as. Its value may end with a NUL.
inline constexpr char kLabelAttribute[] = "security.selinux";

// dlopen(3) and dlsym(3), which only programs that are linked dynamically should have.
struct LibraryLoader {
  void* (*open)(const char* name, int flags) = nullptr;
  void* (*find)(void* library, const char* name) = nullptr;
};
// Has libselinux be loaded by `loader`; a program that has none knows no policy. Called
// by main(), before there are other threads.
void LoadLibrariesBy(const LibraryLoader& loader);

// Each of these returns 0 or -errno.

// Whether the policy's files about names can be read.
int32_t LoadLabelPolicy();
// The next thing that the thread makes has the label `label`; "": the system's choice.
int32_t LabelNextAs(const char* label);
// It has the label that GNU cp -Z gives it, as `name` in `directory`: the type is what
// the policy's files say, the rest is what the system would choose. -ENODATA if they say
// nothing.
int32_t LabelNextByDefault(int directory, const char* name, mode_t mode);
// Changes the type in the label of the file of `fd` to what the policy's files say of its
// path. -ENODATA if they say nothing, or if it has no path any more.
int32_t GiveDefaultLabel(int fd, mode_t mode);

// The thread is about to make something. If nobody has said which label it is to have,
// the label of something before it is taken back.
int32_t TakeLabelOfNext();
// Whether what the thread makes, other than by TakeLabelOfNext(), would have a label that
// was meant for something before it.
bool ThreadHasLabel();
// Takes that label back.
int32_t ForgetLabel();

}  // namespace ringcp

#endif  // RINGCP_CORE_KERNEL_SECURITY_LABELS_H_

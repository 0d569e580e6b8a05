// The locale of the user, by the environment.
//
// Thread-safety: the function may be called by any thread, as long as none changes the
// environment.

#ifndef RINGCP_CLI_USER_LOCALE_H_
#define RINGCP_CLI_USER_LOCALE_H_

namespace ringcp {

// Whether texts are in UTF-8 there. If the locale does not exist, they are in ASCII, as
// for all programs.
bool IsUtf8LocaleOfUser();

}  // namespace ringcp

#endif  // RINGCP_CLI_USER_LOCALE_H_

// What a copy does at once instead of by queued chains (at_once_chooser.h says when, and
// why).

#ifndef RINGCP_CORE_FILE_CALLS_AT_ONCE_H_
#define RINGCP_CORE_FILE_CALLS_AT_ONCE_H_

namespace ringcp {

enum class CallsAtOnce {
  kNone,  // Nothing: the source may have to be read from a device.
  // Only the blocks of a large file that is in the page cache: where system calls are
  // dear, a small file takes too many of them.
  kBlocks,
  kOpen,  // Opening and looking at the source: its inode is likely to be in memory.
  // Everything, if the file has up to one block, is cloned, or is large and in the page
  // cache; of other files the opening. For a source that is likely to be in memory with
  // its contents.
  kAll,
};

// Whether opening and looking at the source is among them.
constexpr bool OpensAtOnce(CallsAtOnce calls) {
  return calls == CallsAtOnce::kOpen || calls == CallsAtOnce::kAll;
}
// Whether the blocks of a large file in the page cache are.
constexpr bool CopiesBlocksAtOnce(CallsAtOnce calls) {
  return calls == CallsAtOnce::kBlocks || calls == CallsAtOnce::kAll;
}

}  // namespace ringcp

#endif  // RINGCP_CORE_FILE_CALLS_AT_ONCE_H_

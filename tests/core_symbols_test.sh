#!/usr/bin/env bash
# Checks that the engine reaches the world only through a Kernel: no object outside
# core/kernel/ may call the system itself. The symbols from elsewhere that these objects
# may use are listed here as extended regular expressions. Whoever adds a line needs a
# good reason for it.
set -euo pipefail

if [[ ${1-} == sanitized ]]; then
  echo "skipped: sanitizers add calls of their own"
  exit 0
fi

# What asks the system, or waits, without a Kernel: only the objects named below may use
# it, each for the reason that stands there.
beside='ringcp::(CondVar::Wait|AvailableCpus|BatchScheduling|HasRoomForThread|KernelRelease|LibrariesArePreloaded|LoadLabelPolicy|OpenFilesMax|PollableLength|ProcessGroup|ProcessUser|RaiseOpenFilesMax|RuleOfAttribute|RunWithSystemCall|SystemCallTime)[^A-Za-z].*'

# What any object may use besides.
allowed=(
  'ringcp::.*'
  # Abseil's strings, statuses, tables and durations, but not its clocks and locks.
  '(bool )?absl::[a-z]*(Str|AsciiStr|SimpleAtoi|Status|Duration|FDivDuration|ToChrono|ToInt64|ToDouble|FromChrono|Floor|strings_internal|str_format_internal|numbers_internal|hash_internal|container_internal|internal_statusor|status_internal|time_internal|raw_logging_internal|base_internal::Throw).*'
  'absl::(FailedPrecondition|ResourceExhausted|Unavailable|InvalidArgument|Internal)Error.*'
  'absl::operator.*'
  # Memory, and what the compiler and the C++ library need.
  'operator (new|delete)(\[\])?\(.*'
  'std::(ios_base::Init::|__cxx11::|__throw_|terminate\(|__detail::|_Hash_bytes|_Rb_tree|__once|uncaught_|exception|bad_|logic_error|length_error|out_of_range|nothrow|type_info).*'
  '(vtable|typeinfo|typeinfo name|VTT|guard variable) for .*'
  '_GLOBAL_OFFSET_TABLE_|_Unwind_Resume|__cxa_[a-z_]+|__dso_handle|__gxx_personality_v0'
  '__libc_single_threaded|__stack_chk_fail|__tls_get_addr|__popcountdi2'
  'mem(chr|cmp|cpy|move|set)|str(cmp|len)|round'
  # Locks for data that threads share. They are never held while something waits.
  'pthread_mutex_(lock|unlock)'
)

# What a single object may use besides: its name and the expression.
declare -A alone=(
  # Conditions to wait for.
  [mutex]='pthread_cond_[a-z]+|std::condition_variable::.*|std::chrono::_V2::steady_clock::now\(\)'
  # The text of an errno, and quoted names. They come from the C library, not the system.
  [file_error]='strerror(_r|name_np)?|iswprint_l|newlocale|mbrtowc'
  [top_level]='strerror'
  [entry_reports]='strerror'
  # The thread that asks the user has no kernel: it waits for questions and for a person.
  [questions]="std::thread::.*|std::condition_variable::.*|$beside"
  # Before there is a worker with a kernel, and once for a job: its threads, who it runs as,
  # how many files may be open, how many CPUs there are, what a call costs.
  [copy_job]="std::thread::.*|$beside"
  [copy_group]="$beside"
  [file_budget]="$beside"
  [job_state]="$beside"
  # Whether libselinux can be loaded, once for a job.
  [security_context]="strerror|$beside"
  [worker_count]="$beside"
  # What /etc/xattr.conf says is read once for a process.
  [source_attributes]="$beside"
)

anywhere=$(IFS='|'; echo "${allowed[*]}")
objects=0
failed=0
while IFS=$'\t' read -r object symbol; do
  if [[ $object != "${last-}" ]]; then
    objects=$((objects + 1))
    last=$object
  fi
  [[ ! $symbol =~ ^($anywhere)$ || $symbol =~ ^($beside)$ ]] || continue
  [[ -z ${alone[$object]-} || ! $symbol =~ ^(${alone[$object]})$ ]] || continue
  echo "core: $object calls $symbol; ask the Kernel instead (core/kernel/kernel.h)" >&2
  failed=1
done < <(find -L core/base core/file core/tree core/job -name '*.a' -print0 | sort -z |
  xargs -0 nm --print-file-name --undefined-only --demangle |
  sed -nE 's/^[^:]*:([a-z_0-9]+)(\.pic)?\.o: *[Uw] (.*)$/\1\t\3/p' |
  sed -E 's/absl::(debian|lts_)[0-9]+::/absl::/g')
# Without this check the test would also pass if it found no objects.
if ((objects < 20)); then
  echo "only $objects objects of core/ were looked at" >&2
  failed=1
fi
((!failed))

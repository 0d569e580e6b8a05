#!/usr/bin/env bash
# Whatever the engine wants of the world it asks of a Kernel: its objects outside
# core/kernel/ call nothing of the system themselves. What they need that is not their own
# is listed here, as extended regular expressions; a new line has to be worth its reason.
set -euo pipefail

if [[ ${1-} == sanitized ]]; then
  echo "skipped: sanitizers add calls of their own"
  exit 0
fi

# What any object may need.
allowed=(
  'ringcp::.*'
  # Abseil's strings, statuses, tables and durations; not its clocks or locks.
  '(bool )?absl::[a-z]*(Str|AsciiStr|SimpleAtoi|Status|Duration|ToChrono|ToInt64|ToDouble|FromChrono|Floor|strings_internal|str_format_internal|numbers_internal|hash_internal|container_internal|internal_statusor|status_internal|time_internal|raw_logging_internal|base_internal::Throw).*'
  'absl::(FailedPrecondition|ResourceExhausted|Unavailable|InvalidArgument|Internal)Error.*'
  'absl::operator.*'
  # Memory, and what the compiler and the C++ library need.
  'operator (new|delete)(\[\])?\(.*'
  'std::(ios_base::Init::|__cxx11::|__throw_|terminate\(|__detail::|_Hash_bytes|_Rb_tree|__once|uncaught_|exception|bad_|logic_error|length_error|out_of_range|nothrow|type_info).*'
  '(vtable|typeinfo|typeinfo name|VTT|guard variable) for .*'
  '_GLOBAL_OFFSET_TABLE_|_Unwind_Resume|__cxa_[a-z_]+|__dso_handle|__gxx_personality_v0'
  '__libc_single_threaded|__stack_chk_fail'
  'mem(chr|cmp|cpy|move|set)|str(cmp|len)|round'
  # Locks guard what threads share. To wait for others is the Kernel's.
  'pthread_mutex_(lock|unlock)'
)

# What one object alone needs: its name and the expression.
declare -A alone=(
  # Conditions to wait for.
  [mutex]='pthread_cond_[a-z]+|std::condition_variable::.*|std::chrono::_V2::steady_clock::now\(\)'
  # The text of an errno, quoted names: of the C library, not the system.
  [file_error]='strerror(_r|name_np)?|iswprint_l|newlocale|mbrtowc'
  [top_level]='strerror'
  [worker_copies]='strerror'
  # The workers' threads.
  [copy_job]='std::thread::.*'
)

anywhere=$(IFS='|'; echo "${allowed[*]}")
objects=0
failed=0
while IFS=$'\t' read -r object symbol; do
  if [[ $object != "${last-}" ]]; then
    objects=$((objects + 1))
    last=$object
  fi
  [[ ! $symbol =~ ^($anywhere)$ ]] || continue
  [[ -z ${alone[$object]-} || ! $symbol =~ ^(${alone[$object]})$ ]] || continue
  echo "core: $object calls $symbol; ask the Kernel instead (core/kernel/kernel.h)" >&2
  failed=1
done < <(find -L core/base core/file core/tree core/job -name '*.a' -print0 | sort -z |
  xargs -0 nm --print-file-name --undefined-only --demangle |
  sed -nE 's/^[^:]*:([a-z_0-9]+)(\.pic)?\.o: *[Uw] (.*)$/\1\t\3/p' |
  sed -E 's/absl::(debian|lts_)[0-9]+::/absl::/g')
# It would pass with nothing to look at, too.
if ((objects < 20)); then
  echo "only $objects objects of core/ were looked at" >&2
  failed=1
fi
((!failed))

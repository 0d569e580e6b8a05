#!/usr/bin/env bash
# Checks what makes the programs start fast: ringcp needs no shared library at all, and
# the other programs need only glibc's.
set -euo pipefail

if [[ ${1-} == sanitized ]]; then
  echo "skipped: a sanitizer's run time is shared, and needs shared libraries"
  exit 0
fi

failed=0

# expect_needed PATTERN PROGRAM: fails unless the shared libraries that PROGRAM needs
# match the extended regular expression PATTERN.
expect_needed() {
  local needed
  needed=$(readelf --dynamic --wide "$2" |
    sed -n 's/.*(NEEDED).*\[\(.*\)\]$/\1/p' | sort | xargs)
  if [[ ! $needed =~ ^($1)$ ]]; then
    echo "$2 needs: $needed" >&2
    failed=1
  fi
}

expect_needed '' cli/ringcp
for program in cli/ringcp-dynamic cli/ringcp-submit cli/ringcpctl agent/ringcpd; do
  expect_needed '(ld-linux[^ ]* )?libc\.so\.6( libm\.so\.6)?' "$program"
done
((!failed))

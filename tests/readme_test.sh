#!/usr/bin/env bash
# Checks that the README's examples work: runs its sh blocks in order, word for word, but
# with this test's directories in place of theirs.
set -euo pipefail

runfiles=$PWD
work=$(mktemp -d "${TEST_TMPDIR:-/tmp}/readme.XXXXXX")
agent=
# shellcheck disable=SC2317  # called by trap
clean_up() {
  [[ -z $agent ]] || kill "$agent" 2>/dev/null || true
  rm -rf "$work"
}
trap clean_up EXIT

mkdir "$work/bin" "$work/backup" "$work/tmp" "$work/photos"
ln -s "$runfiles/cli/ringcp" "$runfiles/cli/ringcpctl" "$runfiles/agent/ringcpd" "$work/bin"
export PATH=$work/bin:$PATH HOME=$work
cd "$work"
for name in notes.txt letter.txt photos/one photos/two; do echo "$name" >"$name"; done
ln photos/one photos/three

# shellcheck disable=SC2016  # the backquotes are Markdown's
mapfile -t lines < <(sed -n '/^```sh$/,/^```$/p' "$runfiles/README.md" | grep -v '^```' |
  sed -E "s#/(backup|tmp)\b#$work/\1#g")
((${#lines[@]} > 0)) || { echo "README.md has no sh block" >&2; exit 1; }

for line in "${lines[@]}"; do
  [[ -n $line ]] || continue
  echo "+ $line"
  eval "$line"
  if [[ $line == *"ringcpd "* ]]; then
    agent=$!
    until [[ -S $work/.ringcp/agent.sock ]]; do
      kill -0 "$agent" || { echo "ringcpd ended before it listened" >&2; exit 1; }
      read -rt 0.05 <> <(:) || true
    done
  fi
done

diff -r photos backup/photos
diff notes.txt tmp/notes.txt
[[ backup/photos/one -ef backup/photos/three ]]
[[ $(ringcpctl show "${job:?the README sets it}") == *SUCCEEDED* ]]
grep -q SUCCEEDED events.json
kill "$agent"
wait "$agent"
[[ ! -e .ringcp/agent.sock ]] || { echo "ringcpd left its socket" >&2; exit 1; }

# .ci/run has to run the commands of the README's first screen that need the repository.
grep -qF "$(grep -o './dev run [^#]*[^# ]' "$runfiles/README.md")" "$runfiles/.ci/run"
grep -qF './dev install' "$runfiles/.ci/run"

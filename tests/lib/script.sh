# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# Sourced first by every script that a person runs. POSIX sh. Defines: say, die, quietly, await, and `work`,
# a temporary folder. At the end of the script, however it ends and however often Ctrl-C is pressed,
# the processes in `pids` are stopped, and `work` and the file `left_behind` are removed.

say() { printf '%s\n' "== $*"; }
die() {
  printf '%s\n' "$0: $*" >&2
  exit 1
}

# quietly COMMAND...: shows its output only when it fails; on a terminal, its last line while it runs.
quietly() {
  watcher=
  output=$work/output
  : >"$output"
  if [ -t 1 ]; then
    show_last_line "$output" &
    watcher=$!
  fi
  "$@" >"$output" 2>&1 </dev/null
  status=$?
  if [ -n "$watcher" ]; then
    kill "$watcher"
    wait "$watcher" 2>/dev/null
    printf '\r\033[K'
  fi
  [ "$status" -eq 0 ] || {
    tail -n 60 "$output" >&2
    die "failed: $*"
  }
}

show_last_line() {
  width=$(stty size 2>/dev/null </dev/tty | cut -d ' ' -f 2)
  [ "${width:-0}" -gt 1 ] || width=80 # a terminal that does not know
  while sleep 0.3 && [ -e "$1" ]; do
    line=$(tail -c 1000 "$1" | tr '\r' '\n' | grep . | tail -n 1 | tr -cd '[:print:]')
    printf '\r\033[K%s' "$(printf '%s' "$line" | cut -c "1-$((width - 1))")"
  done
}

# await WHAT PID LOG COMMAND...: until the command succeeds; dies, with the log, when the process does.
await() {
  awaited=$1 awaited_pid=$2 awaited_log=$3
  shift 3
  tries=0
  until "$@" 2>/dev/null; do
    kill -0 "$awaited_pid" 2>/dev/null || {
      cat "$awaited_log" >&2
      die "$awaited has ended"
    }
    tries=$((tries + 1))
    [ "$tries" -lt 600 ] || die "$awaited is not ready after a minute"
    sleep 0.1
  done
}

leave() {
  trap - EXIT
  trap '' HUP INT TERM # or a second Ctrl-C would leave half of it behind
  if [ -n "$pids" ]; then
    # shellcheck disable=SC2086  # a list of words
    (sleep 10 && kill -9 $pids) >/dev/null 2>&1 </dev/null &
    killer=$!
    for pid in $pids; do
      kill "$pid" 2>/dev/null
      kill -CONT "$pid" 2>/dev/null # one that somebody has stopped would not end
    done
    for pid in $pids; do
      wait "$pid" 2>/dev/null
      # What it has forked: socat's children outlive it, and may turn without end. (dash takes no
      # "--" behind -9.)
      kill -s KILL -- "-$pid" 2>/dev/null
    done
    kill -9 "$killer" # it ignores the others, too
  fi
  [ -z "$left_behind" ] || rm -f "$left_behind"
  [ -z "$work" ] || rm -rf "$work"
}

pids=
left_behind=
work=
trap leave EXIT
trap 'trap "" HUP INT TERM; exit 130' HUP INT TERM
# In a subshell without these signals, or one could come after the folder is made and before its name
# is known.
work=$(trap '' HUP INT TERM && mktemp -d) || die "no temporary folder"

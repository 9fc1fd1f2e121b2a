# shellcheck shell=sh disable=SC2154,SC2034,SC2120
# SPDX-License-Identifier: MIT
# Sourced by examples/*/run.sh with `root` set to the checkout. POSIX sh. What every example does
# first and last. Defines: begin_example, adapt_config, adapt_service, as_user, home_of, start_server,
# start_web_server, start_supervisor, start_tunnel, stay_up, stop_tunnel, shown, finish_example.
. "$root/tests/lib/script.sh"
. "$root/tests/lib/debian.sh"
. "$root/tests/lib/build.sh"
. "$root/tests/lib/directory.sh"

# begin_example ARGUMENT...: reads the command line into `keep`, installs what is missing, builds
# (TUNNEL names a program to take instead), and makes an authority. SERVER_PACKAGES are the example's
# own, instead of those of directory servers; MORE_PACKAGES come on top.
begin_example() {
  server_packages="${SERVER_PACKAGES-$DIRECTORY_PACKAGES} openssl python3"
  keep=
  for argument in "$@"; do
    case $argument in
      --keep) keep=yes ;;
      --no-install) may_install=no ;;
      *) die "usage: run.sh [--no-install] [--keep]" ;;
    esac
  done
  # shellcheck disable=SC2086  # lists of words
  if [ -n "${TUNNEL-}" ]; then
    tunnel=$TUNNEL
    [ -x "$tunnel" ] || die "TUNNEL=$tunnel is not a program"
    install_packages $server_packages ${MORE_PACKAGES-}
  else
    install_packages $BUILD_PACKAGES $server_packages ${MORE_PACKAGES-}
    build_program plain
  fi
  say "a throw-away authority"
  make_authority
}

# adapt_config FOLDER ACCEPT TARGET HOST: $work/tunnel.toml is the example's own file, with this run's
# addresses and authority in the place of its own. The server is reached by address, so the name of
# its certificate, HOST, has to be said, in the last table of the file.
adapt_config() {
  {
    echo 'control = "control.sock"'
    sed -e "s|^accept .*|accept  = \"$2\"|" -e "s|^connect .*|connect = \"$3\"|" -e '/^#/d' \
      "$root/examples/$1/tunnel.toml"
    grep -q '^\[.*\.tls\]' "$root/examples/$1/tunnel.toml" ||
      printf '\n[%s.tls]\n' "$(sed -n 's/^\[\([a-z]*\)\]$/\1/p' "$root/examples/$1/tunnel.toml")"
    printf 'ca   = "%s"\nname = "%s"\n' "$work/ca.pem" "$4"
  } >"$work/tunnel.toml"
}

# as_user USER COMMAND...: as that user where root runs this, for servers that refuse to be root; the
# user owns $work/USER. Else as it is.
as_user() {
  user=$1
  shift
  if [ "$(id -u)" = 0 ]; then
    set -- setpriv --reuid "$user" --regid "$user" --clear-groups -- "$@"
  fi
  "$@"
}

# home_of USER: makes $work/USER, that user's own, with copies of the certificate `server`.
home_of() {
  mkdir "$work/$1"
  cp "$work/server.pem" "$work/server.key" "$work/$1"
  chmod 600 "$work/$1/server.key"
  [ "$(id -u)" != 0 ] || {
    chown -R "$1:" "$work/$1"
    chmod 711 "$work"
  }
  as_user "$1" test -r "$work/$1" || die "user $1 cannot reach $work: set another TMPDIR"
}

# start_server NAME PORT COMMAND...: runs it, with $work/NAME.log, until it accepts connections on the
# port. Its process is $server_pid.
start_server() {
  name=$1 server_port=$2
  shift 2
  : >"$work/$name.log"
  "$@" >>"$work/$name.log" 2>&1 &
  server_pid=$!
  pids="$pids $server_pid"
  await "$name" "$server_pid" "$work/$name.log" can_connect "$server_port"
}

can_connect() {
  python3 -c 'import socket, sys; socket.create_connection(("127.0.0.1", int(sys.argv[1])), 5)' \
    "$1"
}

# start_web_server [DIRECTIVE...]: at $web_port, nginx with the certificate `server`, which says what it
# knows of its client. Its folder and its log are called $web_name, for where there are several.
start_web_server() {
  web_port=$(free_port)
  web_name=${web_name-nginx}
  mkdir "$work/$web_name"
  cat >"$work/$web_name/nginx.conf" <<EOF
daemon off;
worker_processes 1;
pid $work/$web_name/pid;
error_log stderr notice;
$([ "$(id -u)" != 0 ] || echo 'user root;')
events {}
http {
  access_log off;
  client_body_temp_path $work/$web_name/body;
  proxy_temp_path $work/$web_name/proxy;
  fastcgi_temp_path $work/$web_name/fastcgi;
  uwsgi_temp_path $work/$web_name/uwsgi;
  scgi_temp_path $work/$web_name/scgi;
  default_type text/plain;
  map \$ssl_client_s_dn \$who { default \$ssl_client_s_dn; "" "a client without a certificate"; }
  server {
    listen 127.0.0.1:$web_port ssl;
    ssl_certificate $work/server.pem;
    ssl_certificate_key $work/server.key;
    ssl_protocols TLSv1.2 TLSv1.3;
    $*
    return 200 "hello from \$host, over \$ssl_protocol, to \$who\n";
  }
}
EOF
  start_server "$web_name" "$web_port" nginx -e stderr -c "$work/$web_name/nginx.conf"
}

# adapt_service FOLDER: $work/sv is the example's service, with this run's program and file.
adapt_service() {
  (cd "$root/examples/$1" && find sv -type f) | while read -r file; do
    mkdir -p "$work/$(dirname "$file")"
    sed -e "s|tunnel \(.*\)/etc/tunnel/|$tunnel \1$work/|" -e "s|/var/log/tunnel|$work/log|" \
      "$root/examples/$1/$file" >"$work/$file"
  done
  chmod 755 "$work/sv/run"
}

# start_supervisor PROGRAM FOLDER: of one service. Its log is $work/PROGRAM.log.
start_supervisor() {
  "$@" >"$work/$1.log" 2>&1 &
  pids="$! $pids"
  await "$1" "$!" "$work/$1.log" has_pipes "$2"
}

# has_pipes FOLDER: those without which a supervisor's commands do not find it.
has_pipes() {
  [ -e "$1/supervise/ok" ] || [ -e "$1/supervise/control" ]
}

# shown COMMAND...: says it and runs it; its failure is that of the example.
shown() {
  say "$*"
  "$@" || {
    [ ! -e "$work/tunnel.log" ] || cat "$work/tunnel.log"
    die "failed: $*"
  }
}

# start_tunnel [FILE]: checks $work/tunnel.toml, or FILE, and runs it. Its log is $work/tunnel.log, its
# process $tunnel_pid.
start_tunnel() {
  config=${1-$work/tunnel.toml}
  say "the configuration"
  cat "$config"
  say "tunnel check"
  "$tunnel" check "$config" || die "the configuration was refused"
  say "tunnel"
  : >"$work/tunnel.log"
  "$tunnel" "$config" >>"$work/tunnel.log" 2>&1 &
  tunnel_pid=$!
  # Stopped first at the end: it has nobody to complain about then.
  pids="$tunnel_pid $pids"
  wait_until tunnel "$tunnel_pid" "$work/tunnel.log" " ready"
}

# stay_up COMMAND...: with --keep, until Ctrl-C; says what to try.
stay_up() {
  [ -n "$keep" ] || return 0
  say "staying up; Ctrl-C stops everything. In another terminal, try:"
  printf '  %s\n' "$@"
  wait
}

# stop_tunnel: it must end in order.
stop_tunnel() {
  kill "$tunnel_pid"
  wait "$tunnel_pid"
  result=$?
  forget "$tunnel_pid"
  [ "$result" -eq 0 ] || {
    cat "$work/tunnel.log"
    die "the tunnel ended with status $result"
  }
}

# finish_example: stops the tunnel, which must end in order, so that its log shows how every
# connection ended, and shows that log; with a PATTERN, the lines that match it.
finish_example() {
  kill "$tunnel_pid"
  wait "$tunnel_pid"
  result=$?
  if [ $# -gt 0 ]; then
    say "what the tunnel's log says of it"
    grep -E "$1" "$work/tunnel.log"
  else
    say "the tunnel's log"
    cat "$work/tunnel.log"
  fi
  [ "$result" -eq 0 ] || die "the tunnel ended with status $result"
  say "done"
}

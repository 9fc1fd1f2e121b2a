# shellcheck shell=sh disable=SC2154
# SPDX-License-Identifier: MIT
# Sourced after script.sh by the examples that need directory servers. POSIX sh. Defines:
# make_authority, make_certificate, free_port, start_slapd, run_slapd, wait_until, until_answer, forget.
# What it makes is in `work`, and what it starts is added to `pids`.

# shellcheck disable=SC2034  # used by those who source this
DIRECTORY_PACKAGES="slapd ldap-utils openssl python3"

# make_authority: a throw-away CA, $work/ca.pem and $work/ca.key.
make_authority() {
  quietly openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 60 \
    -subj "/CN=Throw-away authority" -keyout "$work/ca.key" -out "$work/ca.pem" \
    -addext "basicConstraints=critical,CA:TRUE" -addext "keyUsage=critical,keyCertSign,cRLSign"
}

# make_certificate FILE NAME: $work/FILE.pem and $work/FILE.key for the host NAME.
make_certificate() {
  quietly openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$2" \
    -keyout "$work/$1.key" -out "$work/$1.csr"
  printf '%s\n' "subjectAltName=DNS:$2" "extendedKeyUsage=serverAuth" \
    "basicConstraints=critical,CA:FALSE" >"$work/$1.ext"
  quietly openssl x509 -req -in "$work/$1.csr" -CA "$work/ca.pem" -CAkey "$work/ca.key" \
    -CAcreateserial -days 60 -extfile "$work/$1.ext" -out "$work/$1.pem"
}

# A port of the loopback address that nobody listens on.
free_port() {
  (cd "$root/tests/e2e" && python3 -B -c 'from harness.ports import free_port; print(free_port())')
}

# start_slapd NAME PORT: a real slapd that speaks LDAPS only, with a small directory, whose top
# entry has the description NAME, and the certificate NAME. Its log is $work/NAME.log, its process
# $slapd_pid.
start_slapd() {
  mkdir -p "$work/$1.db"
  cat >"$work/$1.conf" <<EOF
modulepath /usr/lib/ldap
moduleload back_mdb
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
pidfile $work/$1.pid
TLSCertificateFile $work/$1.pem
TLSCertificateKeyFile $work/$1.key
TLSVerifyClient never
database mdb
suffix "dc=example,dc=com"
rootdn "cn=admin,dc=example,dc=com"
rootpw secret
directory $work/$1.db
EOF
  cat >"$work/people.ldif" <<EOF
dn: dc=example,dc=com
objectClass: dcObject
objectClass: organization
dc: example
o: Example
description: $1

dn: ou=people,dc=example,dc=com
objectClass: organizationalUnit
ou: people

dn: uid=ada,ou=people,dc=example,dc=com
objectClass: inetOrgPerson
uid: ada
cn: Ada Lovelace
sn: Lovelace
mail: ada@example.com

dn: uid=grace,ou=people,dc=example,dc=com
objectClass: inetOrgPerson
uid: grace
cn: Grace Hopper
sn: Hopper
mail: grace@example.com
EOF
  quietly /usr/sbin/slapadd -q -f "$work/$1.conf" -l "$work/people.ldif"
  run_slapd "$1" "$2"
}

# run_slapd NAME PORT: starts one that start_slapd prepared (again).
run_slapd() {
  # Here and not by the new process, or what an earlier one said could be taken for its word.
  : >"$work/$1.log"
  /usr/sbin/slapd -f "$work/$1.conf" -h "ldaps://127.0.0.1:$2/" -d stats >>"$work/$1.log" 2>&1 &
  slapd_pid=$!
  pids="$pids $slapd_pid"
  # It says so once it accepts connections.
  wait_until "slapd $1" "$slapd_pid" "$work/$1.log" "slapd starting"
}

# wait_until WHAT PID LOG TEXT: waits until the log shows the text.
wait_until() {
  await "$1" "$2" "$3" grep -q -- "$4" "$3"
}

# until_answer NAME COMMAND: runs it, which leaves who has answered in `answer`, until that is NAME.
until_answer() {
  deadline=$(($(date +%s) + 60))
  "$2"
  until [ "$answer" = "$1" ]; do
    [ "$(date +%s)" -lt "$deadline" ] || {
      cat "$work/tunnel.log" >&2
      die "$1 does not answer after a minute"
    }
    "$2"
  done
  echo "$answer"
}

# forget PID: a process that has ended and was waited for; somebody else's may have its number soon.
forget() {
  rest=
  for pid in $pids; do
    [ "$pid" = "$1" ] || rest="$rest $pid"
  done
  pids=$rest
}

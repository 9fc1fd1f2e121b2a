// SPDX-License-Identifier: MIT
// The option table: keys of [NAME.health].
#include <array>

#include "config/row.h"

namespace tunnel::config {

template <>
struct Words<Check> {
  static constexpr auto kWords = std::to_array<Word>({
      {"none", static_cast<int>(Check::none)},
      {"tcp", static_cast<int>(Check::tcp)},
      {"tls", static_cast<int>(Check::tls)},
      {"ldap", static_cast<int>(Check::ldap)},
      {"smtp", static_cast<int>(Check::smtp)},
      {"imap", static_cast<int>(Check::imap)},
      {"pop3", static_cast<int>(Check::pop3)},
      {"pgsql", static_cast<int>(Check::pgsql)},
      {"mysql", static_cast<int>(Check::mysql)},
      {"redis", static_cast<int>(Check::redis)},
      {"postgres", static_cast<int>(Check::pgsql), Availability::elsewhere},
      {"postgresql", static_cast<int>(Check::pgsql), Availability::elsewhere},
      {"mariadb", static_cast<int>(Check::mysql), Availability::elsewhere},
      {"false", static_cast<int>(Check::none), Availability::elsewhere},
      {"true", static_cast<int>(Check::tls), Availability::elsewhere},
  });
};

template <>
struct Words<OnEjected> {
  static constexpr auto kWords = std::to_array<Word>({
      {"keep", static_cast<int>(OnEjected::keep)},
      {"close-idle", static_cast<int>(OnEjected::close_idle)},
      {"close", static_cast<int>(OnEjected::close)},
  });
};

namespace {

constexpr auto kHealthRows = std::to_array<Row<Health>>({
    row<Type::duration, &Health::eject_time>(
        {.key = "eject_time",
         .standard = "\"5s\"",
         .help = "How long a target is avoided after a failed dial, 20 % more or less. It "
                 "doubles with each further failure, up to eject_max.",
         .max = kDay}),
    row<Type::duration, &Health::eject_max>(
        {.key = "eject_max",
         .standard = "\"60s\"",
         .help = "The longest that a target is avoided untried; at least eject_time.",
         .max = kDay}),
    row<Type::choice, &Health::check>(
        {.key = "check",
         .standard = "\"none\"",
         .help = "Checks every target all the time, not only when clients dial. A TCP "
                 "connection, a TLS handshake, an anonymous LDAP bind, or the first words of "
                 "another protocol, over the path that connections take."}),
    row<Type::text, &Health::user>(
        {.key = "user",
         .help = "The user whose session a check of \"pgsql\" or \"mysql\" starts, without a "
                 "password. A server that turns every client away (too many clients, starting "
                 "up, shutting down) is then down; without this key such a PostgreSQL server "
                 "looks healthy."}),
    row<Type::text, &Health::database>(
        {.key = "database",
         .help = "The database that health.user asks for. Without it the server chooses "
                 "(PostgreSQL the one of the user's name)."}),
    row<Type::duration, &Health::interval>(
        {.key = "interval",
         .standard = "\"5s\"",
         .help = "The time between two checks of a target, 10 % more or less.",
         .min = 10,
         .max = kDay}),
    row<Type::duration, &Health::timeout>({.key = "timeout",
                                           .standard = "\"3s\"",
                                           .help = "How long a check may take.",
                                           .min = 1,
                                           .max = kDay}),
    row<Type::integer, &Health::fall>({.key = "fall",
                                       .standard = "3",
                                       .help = "Failed checks in a row after which a target is "
                                               "ejected.",
                                       .min = 1,
                                       .max = 1000}),
    row<Type::integer, &Health::rise>({.key = "rise",
                                       .standard = "2",
                                       .help = "Good checks in a row after which a target is "
                                               "restored.",
                                       .min = 1,
                                       .max = 1000}),
    row<Type::choice, &Health::on_ejected>(
        {.key = "on_ejected",
         .standard = "\"keep\"",
         .help = "What becomes of the open connections of a target when its checks find it dead. "
                 "\"keep\" leaves them to keepalive and timeouts.idle; \"close-idle\" ends each as "
                 "soon as it is idle; \"close\" resets them at once."}),
    row<Type::table, &Health::tls>(
        {.key = "tls",
         .help = "How checks speak TLS to the targets of a service with `tls = false`. The keys "
                 "are those under tls."}),
});

}  // namespace

template <>
std::span<const Row<Health>> rows<Health>() {
  return kHealthRows;
}

}  // namespace tunnel::config

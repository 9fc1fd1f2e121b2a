// SPDX-License-Identifier: MIT
// The option table: keys before the first table.
#include <array>

#include "config/row.h"

namespace tunnel::config {

template <>
struct Words<log::Level> {
  static constexpr auto kWords = std::to_array<Word>({
      {"error", static_cast<int>(log::Level::error)},
      {"warning", static_cast<int>(log::Level::warning)},
      {"info", static_cast<int>(log::Level::info)},
      {"debug", static_cast<int>(log::Level::debug)},
      {"err", static_cast<int>(log::Level::error), Availability::elsewhere},
      {"warn", static_cast<int>(log::Level::warning), Availability::elsewhere},
      {"notice", static_cast<int>(log::Level::info), Availability::elsewhere},
      {"verbose", static_cast<int>(log::Level::debug), Availability::elsewhere},
      {"trace", static_cast<int>(log::Level::debug), Availability::elsewhere},
      {"7", static_cast<int>(log::Level::debug), Availability::elsewhere},
  });
};

template <>
struct Words<LogFormat> {
  static constexpr auto kWords = std::to_array<Word>({
      {"text", static_cast<int>(LogFormat::text)},
      {"json", static_cast<int>(LogFormat::json)},
  });
};

template <>
struct Words<Captures> {
  static constexpr auto kWords = std::to_array<Word>({
      {"allowed", static_cast<int>(Captures::allowed)},
      {"never", static_cast<int>(Captures::never)},
  });
};

template <>
struct Words<Sandbox> {
  static constexpr auto kWords = std::to_array<Word>({
      {"auto", static_cast<int>(Sandbox::automatic)},
      {"require", static_cast<int>(Sandbox::require)},
      {"off", static_cast<int>(Sandbox::off)},
  });
};

namespace {

// `include` has no member: include.cc has followed it before the rows are read.
void read_nothing(Reader&, const Option&, const Setting&, Global&) {}
// Nor has `expand_environment`: the model holds what the strings have become.
void read_flag(Reader& reader, const Option& option, const Setting& setting, Global&) {
  bool ignored = false;
  Codec<Type::boolean>::read(reader, option, setting.value(), ignored);
}
Printed print_nothing(const Global&) { return {}; }

constexpr auto kGlobalRows = std::to_array<Row<Global>>({
    row<Type::boolean, &Global::foreground>(
        {.key = "foreground",
         .stunnel = "foreground",
         .standard = "false",
         .help = "Stay in the foreground, and log to standard error unless log_file says "
                 "otherwise. Without it the process becomes a daemon, and the command returns "
                 "when every listener is bound; as process 1 of a container it stays in the "
                 "foreground by itself. Under runit, s6 and their like it has to be true."}),
    row<Type::choice, &Global::log_level>(
        {.key = "log_level",
         .stunnel = "debug",
         .standard = "\"info\"",
         .help = "The least important lines that are logged. \"debug\" shows each phase of each "
                 "connection."}),
    row<Type::log_target, &Global::log_file>(
        {.key = "log_file",
         .stunnel = "output",
         .help = "Where log lines go. An array of a file and \"stderr\" is both. The default is "
                 "\"stderr\" in the foreground, else "
                 "\"syslog\". Files are opened again on SIGUSR1."}),
    row<Type::choice, &Global::log_format>(
        {.key = "log_format",
         .standard = "\"text\"",
         .help = "\"text\" for people, or \"json\": one object a line."}),
    row<Type::path, &Global::pid_file>(
        {.key = "pid_file",
         .stunnel = "pid",
         .help = "Written with the process id after the listeners are bound, and removed on "
                 "exit. It is locked: one that another tunnel holds is an error, and any other "
                 "one is overwritten."}),
    row<Type::workers, &Global::workers>(
        {.key = "workers",
         .standard = "\"auto\"",
         .help = "Worker threads, one event loop each. \"auto\" means one for each CPU that "
                 "the process may use (its affinity mask and the quota of its control group), "
                 "at most 16, and at most one for each 32 files that it may open.",
         .min = 1,
         .max = 1024}),
    row<Type::name_servers, &Global::dns_servers>(
        {.key = "dns_servers",
         .help = "Name servers to ask, on port 53 unless another is given. The default is the "
                 "system's (resolv.conf, read again when it changes)."}),
    row<Type::duration, &Global::dns_min_ttl>(
        {.key = "dns_min_ttl",
         .standard = "\"1s\"",
         .help = "No name is asked for more often than this, whatever its answer's TTL says.",
         .min = 1}),
    row<Type::duration, &Global::dns_max_stale>(
        {.key = "dns_max_stale",
         .standard = "\"1h\"",
         .help = "How long the last good answer serves while DNS fails.",
         .max = std::numeric_limits<std::int64_t>::max()}),
    row<Type::user, &Global::user>(
        {.key = "user",
         .stunnel = "setuid",
         .help = "The user to become after ports are bound and keys are loaded, which takes "
                 "root."}),
    row<Type::group, &Global::group>(
        {.key = "group",
         .stunnel = "setgid",
         .help = "The group to become after ports are bound and keys are loaded, which takes "
                 "root. The default is the user's own."}),
    row<Type::timeout, &Global::shutdown_timeout>(
        {.key = "shutdown_timeout",
         .standard = "\"30s\"",
         .help = "How long SIGTERM lets connections finish before they are reset. With \"off\" "
                 "only a second "
                 "signal resets them."}),
    row<Type::path_or_off, &Global::control>(
        {.key = "control",
         .help = "The unix socket through which `tunnel status`, `tunnel reload` and so on "
                 "reach the process. \"fd:NAME\" is one that systemd passes. Only root and the "
                 "process's own user may use it. The default is control.sock in systemd's "
                 "runtime directory (RUNTIME_DIRECTORY), else /run/tunnel-NAME/control.sock "
                 "for root, else tunnel-NAME/control.sock in XDG_RUNTIME_DIR, else none; NAME "
                 "is the name of this file without its ending."}),
    row<Type::accept, &Global::status>(
        {.key = "status",
         .help = "Where the status page, metrics and answers for health checks are served over "
                 "HTTP. For reading only: \"127.0.0.1:9099\", a port, the path of a unix "
                 "socket (with mode 0600), \"fd:NAME\" for one that systemd passes, or an "
                 "array of them. Not set: nowhere."}),
    row<Type::boolean, &Global::status_allow_remote>(
        {.key = "status_allow_remote",
         .standard = "false",
         .help = "Lets other machines reach `status`. Without it such an address is an error: "
                 "who reaches it reads the addresses of clients and the names of servers, "
                 "without a password."}),
    row<Type::texts, &Global::status_hosts>(
        {.key = "status_hosts",
         .help = "Names by which clients of `status` may call this machine. The Host header of "
                 "a request must be an IP address, \"localhost\" or one of these, or the "
                 "request is refused. That keeps web pages of others from reading the status "
                 "through the browser of a person who can (DNS rebinding)."}),
    row<Type::choice, &Global::capture>(
        {.key = "capture",
         .standard = "\"allowed\"",
         .help = "\"never\" refuses every capture of traffic. It holds for capture tables, and for "
                 "`tunnel capture` over the control socket."}),
    row<Type::timeout, &Global::certificate_poll>(
        {.key = "certificate_poll",
         .standard = "\"30s\"",
         .help = "How often the files of certificates, keys, CAs, CRLs and PSKs are looked at. "
                 "Symbolic links are followed; what has changed is taken over without a "
                 "reload. \"off\" leaves it to the next one.",
         .min = 100}),
    row<Type::choice, &Global::sandbox>(
        {.key = "sandbox",
         .standard = "\"auto\"",
         .help =
             "What the process gives up once its keys are loaded and its ports are bound. Files "
             "that this configuration does not need, system calls such as execve and ptrace, new "
             "privileges, core dumps. \"auto\" does what the kernel and the configuration allow "
             "and logs it. \"require\" fails where the kernel lacks a part, and keeps to the TCP "
             "ports of the configuration, too (Linux 6.7). \"off\" gives up nothing."}),
    {{.key = "expand_environment",
      .standard = "false",
      .help = "Replace each ${NAME} in strings by the environment variable of that name. It "
              "holds for included files, too. One that is not set is an error; $${ stands for "
              "${ itself. Names of tables and keys stay as they are.",
      .type = Type::boolean},
     read_flag,
     print_nothing},
    {{.key = "include",
      .stunnel = "include",
      .help = "Further files to read, as patterns: \"conf.d/*.toml\". Files are read in the "
              "order of their names, without those that begin with a dot or end with \"~\". "
              "They hold services only; the same service in two files is an error.",
      .type = Type::globs},
     read_nothing,
     print_nothing},
});

}  // namespace

template <>
std::span<const Row<Global>> rows<Global>() {
  return kGlobalRows;
}

}  // namespace tunnel::config

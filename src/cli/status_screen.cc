// SPDX-License-Identifier: MIT
#include "cli/status_screen.h"

#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/fd.h"
#include "cli/live_status.h"

namespace tunnel::cli {
namespace {

constexpr Millis kInterval{1'000};

// The alternate screen, without a cursor; both are undone in the other order.
constexpr std::string_view kEnter = "\x1b[?1049h\x1b[?25l";
constexpr std::string_view kLeave = "\x1b[?25h\x1b[?1049l";
constexpr std::string_view kHome = "\x1b[H";
constexpr std::string_view kClearLine = "\x1b[K";
constexpr std::string_view kClearRest = "\x1b[J";

// What cannot be written is dropped: the terminal has gone, and with it the one who would want to
// know.
void put(std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(STDOUT_FILENO, text.data(), text.size());
    if (count <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
}

// A terminal on which single keys are read. Whatever ends us, it is put back: signals that would
// end the process come through a descriptor while this lives.
class Terminal {
 public:
  static bool is_there() { return ::isatty(STDIN_FILENO) == 1 && ::isatty(STDOUT_FILENO) == 1; }
  Terminal() {
    (void)::tcgetattr(STDIN_FILENO, &before_);
    termios raw = before_;
    // ISIG stays, so that Ctrl-C is a signal as ever.
    raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    raw.c_cc[VMIN] = 0;
    raw.c_cc[VTIME] = 0;
    (void)::tcsetattr(STDIN_FILENO, TCSANOW, &raw);
    sigset_t ending;
    (void)::sigemptyset(&ending);
    // Ctrl-Z leaves, too: a stopped process would leave its screen to the shell.
    for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGWINCH, SIGPIPE}) {
      (void)::sigaddset(&ending, number);
    }
    (void)::sigprocmask(SIG_BLOCK, &ending, &mask_before_);
    signals_ = Fd(::signalfd(-1, &ending, SFD_CLOEXEC | SFD_NONBLOCK));
    put(kEnter);
  }
  ~Terminal() {
    put(kLeave);
    (void)::tcsetattr(STDIN_FILENO, TCSANOW, &before_);
    signals_ = Fd();
    (void)::sigprocmask(SIG_SETMASK, &mask_before_, nullptr);
  }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  [[nodiscard]] static ScreenSize size() {
    winsize size{};
    // Serial lines say 0.
    if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return {};
    return {size.ws_col, size.ws_row};
  }

  // Waits, at most so long, for a key or a signal. False: leave.
  [[nodiscard]] bool wait(Millis time) const {
    pollfd wanted[] = {{STDIN_FILENO, POLLIN, 0}, {signals_.get(), POLLIN, 0}};
    if (::poll(wanted, 2, static_cast<int>(time.count())) <= 0) return true;
    if ((wanted[1].revents & POLLIN) != 0) {
      signalfd_siginfo info{};
      const bool is_read = ::read(signals_.get(), &info, sizeof info) == sizeof info;
      return is_read && info.ssi_signo == SIGWINCH;
    }
    char key = 0;
    // Nothing to read although poll() came back: the terminal was hung up.
    const ssize_t count = ::read(STDIN_FILENO, &key, 1);
    return count == 1 && key != 'q' && key != 'Q';
  }

 private:
  termios before_{};
  sigset_t mask_before_{};
  Fd signals_;
};

// Line by line, so that nothing flickers.
void draw(const std::string& screen) {
  std::string out(kHome);
  for (const char c : screen) {
    if (c == '\n') out += std::string(kClearLine) + "\r";
    out += c;
  }
  put(out + std::string(kClearLine) + std::string(kClearRest));
}

}  // namespace

Result<void> watch_status(const std::function<Result<admin::Json>()>& ask) {
  if (!Terminal::is_there()) {
    return failed(ErrorCode::invalid,
                  "--watch needs a terminal; without it the status is printed "
                  "once");
  }
  const SystemClock clock;
  Traffic before;
  TimePoint drawn_at = clock.now();
  // Below everything that may fail for another reason, and in a scope that is left before the
  // caller prints an error: that belongs on the ordinary screen.
  const Terminal terminal;
  for (;;) {
    const auto status = ask();
    if (!status) return tl::unexpected(status.error());
    const TimePoint now = clock.now();
    const double seconds = std::chrono::duration<double>(now - drawn_at).count();
    draw(status_screen(*status, before, seconds, Terminal::size()));
    before = traffic_of(*status);
    drawn_at = now;
    if (!terminal.wait(kInterval)) return {};
  }
}

}  // namespace tunnel::cli

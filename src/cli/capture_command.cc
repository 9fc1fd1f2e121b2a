// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdio>

#include "base/text.h"
#include "capture/single_file.h"
#include "cli/capture_reader.h"
#include "cli/command.h"
#include "cli/instance.h"
#include "cli/validators.h"

namespace tunnel::cli {
namespace {

using admin::Json;

class CaptureCommand final : public Command {
 public:
  CaptureCommand()
      : Command(
            "capture",
            "the decrypted traffic, live, as pcapng: tunnel capture t.toml | wireshark -k -i -") {}

  void declare(CLI::App& app) override {
    add_config(app, config_);
    app.add_option("SERVICE", services_, "the default is every service")->type_name("");
    app.add_option("-w,--write", file_, "where to; the default is \"-\", standard output")
        ->type_name("FILE");
    app.add_option(
           "--layer", layer_,
           "plain: what the application sees; wire: what goes over the network, with its keys")
        ->check(CLI::IsMember({"plain", "wire"}))
        ->type_name("plain|wire");
    app.add_option("--client", clients_, "only connections of these clients; may be repeated")
        ->type_name("CIDR")
        ->check(is_range());
    add_size(app, "--snaplen", "snaplen", "keep only the head of each segment");
    add_size(app, "--max-size", "max_size", "end when so much was written");
    app.add_option_function<std::string>(
           "--duration",
           [this](const std::string& text) { more_["for_ms"] = parse_duration(text)->count(); },
           "end after this time; the default is until interrupted")
        ->type_name("DURATION")
        ->transform(to_duration());
  }

  Outcome run(const CommonOptions& common, const Machinery&) override {
    const bool is_to_stdout = file_.empty() || file_ == "-";
    if (is_to_stdout && ::isatty(STDOUT_FILENO) == 1) {
      return misused(
          "a capture is not for terminals: pipe it (| wireshark -k -i -), or give -w FILE");
    }
    // In this order: without an instance no file is made, and without a file to write to nothing is
    // begun in the instance.
    auto client = Instance{config_, common.control}.connect();
    if (!client) return unreachable(client.error());
    const Result<Fd> out = is_to_stdout ? duplicate_of_stdout() : capture::open_private_file(file_);
    if (!out) return {kFailed, "", "tunnel: " + out.error().text + "\n"};
    const auto answer = CaptureReader::begin(*client, request());
    if (!answer) return unreachable(answer.error());
    if (!answer->value("ok", false)) return printed(*answer, Form::text);
    const bool is_watched = ::isatty(STDERR_FILENO) == 1;
    const auto pumped =
        CaptureReader::pump(std::move(*client), *out, [is_watched](const PacketCount& count) {
          if (!is_watched) return;
          (void)std::fprintf(stderr, "\r%llu packets, %llu dropped ",
                             static_cast<unsigned long long>(count.packets()),
                             static_cast<unsigned long long>(count.dropped()));
          (void)std::fflush(stderr);
        });
    if (is_watched) (void)std::fputc('\n', stderr);
    if (!pumped) return {kFailed, "", "tunnel: " + pumped.error().text + "\n"};
    return {};
  }

 private:
  void add_size(CLI::App& app, const char* name, const char* key, const char* help) {
    app.add_option_function<std::string>(
           name, [this, key](const std::string& text) { more_[key] = *parse_size(text); }, help)
        ->type_name("SIZE")
        ->check(is_size_above_zero());
  }

  [[nodiscard]] static Result<Fd> duplicate_of_stdout() {
    // A copy, because an Fd closes what it has, and standard output is not ours to close.
    Fd out(::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3));
    if (!out.valid()) return failed(ErrorCode::system, "cannot write to standard output", errno);
    return out;
  }

  [[nodiscard]] Json request() const {
    Json json = more_;
    json["services"] = services_;
    json["clients"] = clients_;
    json["layer"] = layer_;
    return json;
  }

  std::string config_;
  std::vector<std::string> services_;
  std::string file_;
  std::string layer_ = "plain";
  std::vector<std::string> clients_;
  Json more_ = Json::object();
};

}  // namespace

std::unique_ptr<Command> make_capture_command() { return std::make_unique<CaptureCommand>(); }

}  // namespace tunnel::cli

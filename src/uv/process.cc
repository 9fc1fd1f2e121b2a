// SPDX-License-Identifier: MIT
#include "uv/process.h"

#include <linux/close_range.h>
#include <unistd.h>

#include <utility>

#include "base/argv.h"
#include "uv/handle.h"

namespace tunnel::uv {

struct Process::Block {
  uv_process_t handle{};
  Process* owner = nullptr;
  std::function<void(Ended)> on_ended;
};

void Process::Closer::operator()(Block* block) const { close_block(block); }

Process::Process(std::unique_ptr<Block, Closer> block) : block_(std::move(block)) {}

Process::~Process() = default;

Result<std::unique_ptr<Process>> Process::start(Loop& loop, const Command& command, Fd stdio,
                                                std::function<void(Ended)> on_ended) {
  // `stdio` is closed when this returns. If it stayed open here, the other end would never see EOF,
  // not even when the program has ended.
  return start(loop, command, {stdio.get(), stdio.get(), STDERR_FILENO}, std::move(on_ended));
}

Result<std::unique_ptr<Process>> Process::start(Loop& loop, const Command& command,
                                                const std::vector<int>& descriptors,
                                                std::function<void(Ended)> on_ended) {
  loop.assert_here();
  // Everything of ours is opened close-on-exec. What our own parent has left open is not ours to
  // hand down either: a listening socket of somebody's would stay open as long as the program runs.
  (void)::close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);

  std::vector<char*> arguments = argv_of(command.arguments);
  arguments.insert(arguments.begin(), const_cast<char*>(command.name.c_str()));
  std::vector<char*> environment = argv_of(command.environment);
  std::vector<uv_stdio_container_t> streams(descriptors.size());
  for (std::size_t i = 0; i < streams.size(); ++i) {
    streams[i].flags = UV_INHERIT_FD;
    streams[i].data.fd = descriptors[i];
  }
  uv_process_options_t options{};
  options.file = command.path.c_str();
  options.args = arguments.data();
  if (!command.environment.empty()) options.env = environment.data();
  if (!command.folder.empty()) options.cwd = command.folder.c_str();
  options.stdio = streams.data();
  options.stdio_count = static_cast<int>(streams.size());
  options.exit_cb = [](uv_process_t* handle, std::int64_t status, int signal) noexcept {
    auto* block = block_of<Block>(handle);
    if (block->owner != nullptr) block->on_ended({static_cast<int>(status), signal});
  };

  std::unique_ptr<Block, Closer> block(new_block<Block>());
  block->on_ended = std::move(on_ended);
  // The handle is to be closed even when this fails.
  if (const int status = uv_spawn(loop.raw(), &block->handle, &options); status < 0) {
    return failed(ErrorCode::system, "cannot run " + command.path, -status);
  }
  Block& stays = *block;
  std::unique_ptr<Process> process(new Process(std::move(block)));
  stays.owner = process.get();
  return process;
}

void Process::kill(int signal_number) { (void)uv_process_kill(&block_->handle, signal_number); }

int Process::pid() const { return uv_process_get_pid(&block_->handle); }

}  // namespace tunnel::uv

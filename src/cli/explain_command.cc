// SPDX-License-Identifier: MIT
#include <CLI/CLI.hpp>

#include "cli/command.h"
#include "cli/explain.h"

namespace tunnel::cli {
namespace {

class ExplainCommand final : public Command {
 public:
  ExplainCommand()
      : Command("explain",
                "what a configuration key means, its type and default;\n"
                "or a word of the log, a signal, an exit status;\n"
                "\"stunnel\": what becomes of each option of a stunnel.conf") {}

  void declare(CLI::App& app) override {
    app.add_option("WORD", word_, "the default is all keys")->type_name("");
  }

  Outcome run(const CommonOptions&, const Machinery&) override {
    if (word_.empty()) return {0, explain_all(), ""};
    if (word_ == "stunnel") return {0, explain_stunnel(), ""};
    const auto text = explain(word_);
    if (text) return {0, *text, ""};
    return {kMisused, "",
            "tunnel: " + text.error().text + "\n\"tunnel explain\" lists all keys.\n"};
  }

 private:
  std::string word_;
};

}  // namespace

std::unique_ptr<Command> make_explain_command() { return std::make_unique<ExplainCommand>(); }

}  // namespace tunnel::cli

// SPDX-License-Identifier: MIT
#include "admin/commands.h"

#include <doctest/doctest.h>

#include <vector>

namespace tunnel::admin {
namespace {

// Writes down what it is asked, and answers at once.
class FakeProcess final : public AdminActions {
 public:
  void status(Connections how, std::function<void(Status)> on_status) override {
    asked = how == Connections::listed ? "status with connections" : "status";
    Status status;
    status.version = "1.2.3";
    return on_status(status);
  }
  void reload(const Operator& by, OnVerdict on_verdict) override {
    asked = "reload by " + std::to_string(by.uid);
    return on_verdict(verdict);
  }
  void drain(const Operator&, const std::string& service, OnVerdict on_verdict) override {
    asked = "drain " + service;
    return on_verdict(verdict);
  }
  void order(const Operator&, const TargetOrder& order, OnVerdict on_verdict) override {
    asked = order.service + " " + order.target + " ";
    if (std::holds_alternative<Drain>(order.what)) asked += "drain";
    if (std::holds_alternative<Eject>(order.what)) asked += "eject";
    if (std::holds_alternative<Enable>(order.what)) asked += "enable";
    if (const auto* weight = std::get_if<Weight>(&order.what)) {
      asked += "weight " + std::to_string(weight->weight);
    }
    if (const auto* kick = std::get_if<Kick>(&order.what)) {
      asked += "kick " + (kick->idle ? std::to_string(kick->idle->count()) : "all");
    }
    if (order.lasting) asked += " for " + std::to_string(order.lasting->count());
    return on_verdict(verdict);
  }
  void close(const Operator&, const std::string& service, std::uint64_t id,
             OnVerdict on_verdict) override {
    asked = "close " + service + " " + std::to_string(id);
    return on_verdict(verdict);
  }
  void set_log_level(const Operator&, const LevelOrder& order, OnVerdict on_verdict) override {
    asked = "level " + std::string(word(order.level)) + " " + order.service + " " +
            (order.client ? order.client->to_string() : "all");
    return on_verdict(verdict);
  }
  void capture(const Operator&, const CaptureOrder& order, const std::function<Fd()>& take_over,
               OnVerdict on_verdict) override {
    asked = order.is_wire ? "capture wire" : "capture plain";
    for (const std::string& service : order.services) asked += " " + service;
    for (const Cidr& client : order.clients) asked += " " + client.to_string();
    if (order.snaplen) asked += " snaplen " + std::to_string(*order.snaplen);
    if (order.max_size) asked += " size " + std::to_string(*order.max_size);
    if (order.lasting) asked += " for " + std::to_string(order.lasting->count());
    CHECK_FALSE(take_over);
    return on_verdict(verdict);
  }
  void config(std::function<void(ConfigInForce)> on_config) override {
    asked = "config";
    return on_config({"/etc/t.toml", "sha256:00", "[ldap]\n"});
  }
  void resolve(const Operator&, const std::string& service, OnVerdict on_verdict) override {
    asked = "resolve " + service;
    return on_verdict(verdict);
  }

  std::string asked;
  Verdict verdict = Verdict::done({"done"});
};

struct Session {
  Json ask(const std::string& request) {
    std::vector<std::string> answers;
    process.asked.clear();
    execute(request, {1000, 42}, process,
            [&](const std::string& line) { answers.push_back(line); });
    REQUIRE(answers.size() == 1);
    return Json::parse(answers[0]);
  }
  // What the process was asked to do.
  std::string order(const std::string& arguments) {
    CHECK(ask("{\"v\":1," + arguments + "}")["ok"] == true);
    return process.asked;
  }
  // Why it was refused, without asking the process.
  std::string refusal(const std::string& arguments) {
    const Json answer = ask("{\"v\":1," + arguments + "}");
    CHECK(answer["ok"] == false);
    CHECK(process.asked.empty());
    return answer["kind"];
  }
  FakeProcess process;
};

}  // namespace

TEST_SUITE("control commands") {
  TEST_CASE("each command reaches the process with its arguments") {
    Session session;
    CHECK(session.order(R"("command":"reload")") == "reload by 1000");
    CHECK(session.order(R"("command":"drain")") == "drain ");
    CHECK(session.order(R"("command":"drain","service":"ldap")") == "drain ldap");
    CHECK(session.order(R"("command":"close","service":"ldap","connection":12)") ==
          "close ldap 12");
    CHECK(session.order(R"("command":"resolve")") == "resolve ");
    CHECK(session.order(R"("command":"capture")") == "capture plain");
    CHECK(session.order(R"("command":"capture","services":["ldap","imap"],"layer":"wire",)"
                        R"("clients":["10.0.0.0/8"],"snaplen":96,"max_size":4096,"for_ms":5)") ==
          "capture wire ldap imap 10.0.0.0/8 snaplen 96 size 4096 for 5");
    CHECK(session.refusal(R"("command":"capture","layer":"both")") == "bad_request");
    CHECK(session.refusal(R"("command":"capture","clients":["nobody"])") == "bad_request");
    CHECK(session.order(R"("command":"log-level","level":"debug","service":"ldap",)"
                        R"("client":"10.0.0.0/8")") == "level debug ldap 10.0.0.0/8");
  }

  TEST_CASE("each order for a target reaches the process") {
    Session session;
    const auto order = [&](const std::string& more) {
      return session.order(R"("command":"target","service":"s","target":"t",)" + more);
    };
    CHECK(order(R"("action":"drain")") == "s t drain");
    CHECK(order(R"("action":"eject","for_ms":600000)") == "s t eject for 600000");
    CHECK(order(R"("action":"enable")") == "s t enable");
    CHECK(order(R"("action":"weight","weight":7)") == "s t weight 7");
    CHECK(order(R"("action":"kick")") == "s t kick all");
    CHECK(order(R"("action":"kick","idle_ms":30000)") == "s t kick 30000");
  }

  TEST_CASE("status comes with connections only when they are asked for") {
    Session session;
    CHECK(session.ask(R"({"v":1,"command":"status"})")["status"]["version"] == "1.2.3");
    CHECK(session.process.asked == "status");
    CHECK(session.order(R"("command":"status","connections":true)") == "status with connections");
  }

  TEST_CASE("the configuration in force comes with its hash") {
    Session session;
    const Json answer = session.ask(R"({"v":1,"command":"config"})");
    CHECK(answer["config"] == "/etc/t.toml");
    CHECK(answer["config_hash"] == "sha256:00");
    CHECK(answer["text"] == "[ldap]\n");
  }

  TEST_CASE("what is wrong with a request is said without asking the process") {
    Session session;
    CHECK(session.refusal(R"("command":"shutdown")") == "unknown_command");
    CHECK(session.refusal(R"("service":"ldap")") == "unknown_command");
    CHECK(session.refusal(R"("command":"close","service":"ldap")") == "bad_request");
    CHECK(session.refusal(R"("command":"close","connection":1)") == "bad_request");
    CHECK(session.refusal(R"("command":"target","service":"s","action":"drain")") == "bad_request");
    CHECK(session.refusal(R"("command":"target","service":"s","target":"t")") == "bad_request");
    CHECK(session.refusal(R"("command":"target","service":"s","target":"t","action":"weight")") ==
          "bad_request");
    CHECK(
        session.refusal(
            R"("command":"target","service":"s","target":"t","action":"weight","weight":70000)") ==
        "bad_request");
    CHECK(session.refusal(R"("command":"log-level","level":"loud")") == "bad_request");
    CHECK(session.refusal(R"("command":"log-level","level":"info","client":"x")") == "bad_request");
  }

  TEST_CASE("the process's refusal is passed on with its word") {
    Session session;
    session.process.verdict = Verdict::refused("no_such_service", "there is no service \"x\"");
    const Json answer = session.ask(R"({"v":1,"command":"resolve","service":"x"})");
    CHECK(answer["ok"] == false);
    CHECK(answer["kind"] == "no_such_service");
    CHECK(answer["lines"] == Json{"there is no service \"x\""});
  }
}

}  // namespace tunnel::admin

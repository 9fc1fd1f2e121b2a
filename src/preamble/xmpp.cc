// SPDX-License-Identifier: MIT
// STARTTLS of XMPP, RFC 6120 section 5.4.
#include <utility>

#include "base/text.h"
#include "preamble/starttls.h"
#include "preamble/xml_scanner.h"

namespace tunnel::preamble {
namespace {

// For an attribute's value between apostrophes: '"' and '>' may stand in it.
std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    switch (c) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '\'':
        result += "&apos;";
        break;
      default:
        result += c;
    }
  }
  return result;
}

// Both sides open a stream; the server lists its features, is asked for TLS and says <proceed/>. A
// stream is one XML document that never ends, so what matters is the depth at which an element
// closes: 1 is a whole statement of the server's.
class XmppStarttls final : public Conversation {
 public:
  XmppStarttls(Topic topic, std::string to) : topic_(std::move(topic)), to_(std::move(to)) {}

  Step on_start() override {
    return send("<?xml version='1.0'?><stream:stream to='" + escaped(to_) +
                "' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' "
                "version='1.0'>");
  }

  Step on_server(Bytes bytes) override {
    Step step;
    while (step.status == Status::again) {
      const std::optional<XmlScanner::Tag> tag = scanner_.next(bytes);
      if (scanner_.is_too_long() || scanner_.total() > kMaxConversation) {
        append(step, failed(topic_, scanner_.is_too_long() ? "sent an XML tag of more than 8 KiB"
                                                           : "sent more than 64 KiB before TLS"));
      } else if (tag) {
        append(step, on_tag(*tag, bytes));
      } else {
        break;
      }
    }
    // Before the stream nothing but white space makes sense.
    if (step.status == Status::again && depth_ == 0 && !trimmed(scanner_.text()).empty()) {
      append(step, no_xmpp(scanner_.text()));
    }
    return step;
  }

  Step on_server_end(End end) override { return ended(topic_, end, *this); }

  [[nodiscard]] std::string waiting_for() const override {
    if (is_asked_) return "its answer to starttls";
    return "its stream features (a port that speaks TLS from the start is silent here: then remove "
           "starttls)";
  }

 private:
  [[nodiscard]] Step no_xmpp(std::string_view said) const {
    return failed(topic_, "did not answer in XMPP but said \"" + printable(trimmed(said), 60) +
                              "\"" + looks_like(said));
  }

  // Depth 1 is inside the stream, 2 inside what the server says in it.
  Step on_tag(const XmlScanner::Tag& tag, Bytes behind) {
    switch (tag.form) {
      case XmlScanner::Form::open:
        return on_open(tag, depth_++);
      case XmlScanner::Form::empty: {
        Step step = on_open(tag, depth_);
        if (step.status == Status::again) append(step, on_close(tag, depth_, behind));
        return step;
      }
      case XmlScanner::Form::close:
        break;
    }
    if (depth_ == 0) return failed(topic_, "closed a stream that it had not opened");
    return on_close(tag, --depth_, behind);
  }

  Step on_open(const XmlScanner::Tag& tag, int depth) {
    if (depth == 0 && !trimmed(tag.text).empty()) return no_xmpp(tag.text);
    if (depth == 0 && tag.name != "stream") {
      return failed(topic_, "did not answer in XMPP but with <" + printable(tag.name, 60) + ">");
    }
    if (depth == 1) element_ = tag.name;
    if (depth == 2 && element_ == "features" && tag.name == "starttls") is_offered_ = true;
    if (depth == 2 && condition_.empty()) condition_ = tag.name;
    return {};
  }

  Step on_close(const XmlScanner::Tag& tag, int depth, Bytes behind) {
    if (depth == 0) return failed(topic_, "closed the stream instead of starting TLS");
    if (depth == 2 && tag.name == "text") words_ = tag.text;
    if (depth > 1) return {};
    const std::string condition = std::exchange(condition_, {});
    if (tag.name == "error") {
      std::string text = "refused us: " + printable(condition);
      if (!words_.empty()) text += " (" + printable(words_) + ")";
      return failed(topic_, text);
    }
    if (tag.name == "features" && !is_asked_) return on_features();
    if (tag.name == "failure" && is_asked_) return failed(topic_, "refused STARTTLS (failure)");
    if (tag.name == "proceed" && is_asked_) return go_ahead(topic_, behind);
    return failed(topic_, "said <" + printable(tag.name, 60) + "> where we were waiting for " +
                              waiting_for());
  }

  Step on_features() {
    if (!is_offered_) return failed(topic_, "does not offer STARTTLS");
    is_asked_ = true;
    return send("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
  }

  const Topic topic_;
  const std::string to_;
  XmlScanner scanner_;
  int depth_ = 0;
  std::string element_;    // the one at depth 1
  std::string condition_;  // the first element inside it: what a stream error is about
  std::string words_;      // its <text/>
  bool is_offered_ = false;
  bool is_asked_ = false;
};

}  // namespace

std::unique_ptr<Conversation> xmpp_starttls(Topic topic, std::string to) {
  return std::make_unique<XmppStarttls>(std::move(topic), std::move(to));
}

}  // namespace tunnel::preamble

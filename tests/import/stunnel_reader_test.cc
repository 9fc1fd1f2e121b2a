// SPDX-License-Identifier: MIT
#include "config/print.h"
#include "import/load.h"
#include "tests/config/fixture.h"

namespace tunnel::import {
namespace {

config::Document stunnel(const std::string& text) {
  return import::parse(text, "/etc/stunnel/s.conf", config::System::leave_alone);
}

std::string problems_of(const std::string& text) { return stunnel(text).render(); }

// The services of a text that has warnings at most.
std::vector<config::Service> services(const std::string& text) {
  const config::Document document = stunnel(text);
  CAPTURE(document.render());
  REQUIRE_FALSE(document.has_errors());
  return document.config.services;
}

// Checks what the section says, and nothing that a warning would be due for.
const std::string kSafe =
    "[ldap]\n"
    "client = yes\n"
    "accept = 127.0.0.1:389\n"
    "connect = ldap.example.com:636\n"
    "CAfile = /etc/ssl/ca.pem\n"
    "verifyChain = yes\n"
    "checkHost = ldap.example.com\n";

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a section is a service with stunnel's own timeouts and end of connections") {
  CHECK(problems_of(kSafe) == "");
  const config::Service service = services(kSafe).at(0);
  CHECK(service.name == "ldap");
  CHECK(service.accept.at(0).text == "127.0.0.1:389");
  CHECK(service.connect.at(0).at(0).text == "ldap.example.com:636");
  CHECK(service.timeouts.connect == std::chrono::seconds(10));
  CHECK(service.timeouts.handshake == std::chrono::seconds(300));
  CHECK(service.timeouts.idle == std::chrono::seconds(43200));
  CHECK(service.timeouts.half_close == std::chrono::seconds(60));
  CHECK_FALSE(service.timeouts.dial);
  CHECK(service.on_truncation == config::OnTruncation::eof);
  CHECK(service.tls->verify == config::Verify::full);
  CHECK(service.tls->ca == std::vector<std::string>{"/etc/ssl/ca.pem"});
  CHECK(service.tls->name == std::vector<std::string>{"ldap.example.com"});
}

TEST_CASE("a problem of a stunnel.conf is shown with its line, a caret and a hint") {
  CHECK(problems_of(kSafe + "sokcet = l:TCP_NODELAY=1\n") ==
        "/etc/stunnel/s.conf:8:1: error: stunnel has no option \"sokcet\"\n"
        "sokcet = l:TCP_NODELAY=1\n"
        "^\n"
        "hint: did you mean \"socket\"?\n");
}

TEST_CASE("the same section twice is two services") {
  const auto all = services(kSafe +
                            "[ldap]\nclient = yes\naccept = 127.0.0.1:390\nconnect = b:1\n"
                            "[ldap]\nclient = yes\naccept = 127.0.0.1:391\nconnect = c:1\n");
  REQUIRE(all.size() == 3);
  CHECK(all[0].name == "ldap");
  CHECK(all[1].name == "ldap-2");
  CHECK(all[2].name == "ldap-3");
}

TEST_CASE("server sections are refused, in a mixed file, too") {
  const std::string text = problems_of(kSafe + "[pop]\naccept = 995\nconnect = 110\n");
  CHECK(has(text,
            "s.conf:8:1: error: section \"pop\" has no \"client = yes\", so it is the server "
            "side of TLS; this is a client tunnel\n[pop]\n^\n"));
}

TEST_CASE("bytes of a stunnel.conf are read the way stunnel reads them") {
  SUBCASE("a byte order mark and carriage returns anywhere") {
    const auto all = services(
        "\xef\xbb\xbf[a]\r\ncli\rent = ye\rs\r\naccept = 127.0.0.1:1\r\n"
        "connect = b:2");
    CHECK(all.at(0).name == "a");
    CHECK(all.at(0).connect.at(0).at(0).text == "b:2");
  }
  SUBCASE("a NUL byte ends a line") {
    const std::string nul("[a]\nclient = yes\0no\naccept = 127.0.0.1:1\nconnect = b:2\n", 55);
    CHECK(services(nul).at(0).connect.at(0).at(0).port == 2);
    CHECK(has(problems_of(nul), "s.conf:2:1: warning: a NUL byte ends this line"));
  }
  SUBCASE("what does not fit into the line buffer is the next line") {
    const std::string full = "; " + std::string(16381, 'x');
    CHECK(services(full + "\n" + kSafe).size() == 1);
    CHECK(services(full + kSafe).size() == 1);
    CHECK(has(problems_of("[" + std::string(20000, 'x') + "]\n"), "longer than 16383 bytes"));
  }
  SUBCASE("sections come before equals signs") {
    CHECK(services("[a=b]\nclient = yes\naccept = 127.0.0.1:1\nconnect = b:2\n").at(0).name ==
          "a=b");
    CHECK(services("[]\nclient = yes\naccept = 127.0.0.1:1\nconnect = b:2\n").at(0).name ==
          "service");
  }
}

TEST_CASE("what looks like a comment, a quote or a continued line is part of the value") {
  CHECK(has(problems_of(kSafe + "sni = a ; b\n"),
            "s.conf:8:7: warning: what looks like a comment is part of the value\nsni = a ; b\n"
            "      ^\nhint: comments stand in lines of their own\n"));
  CHECK(has(problems_of(kSafe + "sni = \"a\"\n"), "warning: the quotes are part of the value"));
  CHECK(has(problems_of(kSafe + "sni = a\\\n"), "warning: the backslash is part of the value"));
  CHECK(has(problems_of(kSafe + "delay = yes ; really\n"),
            "s.conf:8:9: error: delay is yes or no\n"));
  CHECK(has(problems_of("[a] ; b\n"), "s.conf:1:1: error: a line is OPTION = VALUE or [SECTION]"));
  CHECK(services("# a\n ; b\n" + kSafe).size() == 1);
}

TEST_CASE("names and words are read without regard to case") {
  const auto all = services("CLIENT = YES\n[a]\nACCEPT = 127.0.0.1:1\nConnect = b:2\nVerify = 0\n");
  CHECK(all.at(0).tls->verify == config::Verify::none);
}

TEST_CASE("lists add up over the global part, and the last of a scalar holds") {
  const auto all = services(
      "connect = a:1\nTIMEOUTidle = 5\nclient = yes\nchecKHost = g\n"
      "[x]\naccept = 127.0.0.1:1\nconnect = b:2\nTIMEOUTidle = 6\nTIMEOUTidle = 7\n"
      "CAfile = /c\nverifyChain = yes\ncheckIP = 10.0.0.1\ncheckEmail = m@x\n");
  const config::Service& x = all.at(0);
  REQUIRE(x.connect.size() == 1);
  CHECK(x.connect[0].at(0).text == "a:1");
  CHECK(x.connect[0].at(1).text == "b:2");
  CHECK(x.balance == config::Balance::first);
  CHECK(x.timeouts.idle == std::chrono::seconds(7));
  CHECK(x.tls->name == std::vector<std::string>{"g", "10.0.0.1", "email:m@x"});
  CHECK(x.tls->sni == "a");
}

TEST_CASE("global options cannot stand in a section, and unknown ones nowhere") {
  CHECK(has(problems_of(kSafe + "foreground = yes\n"),
            "s.conf:8:1: error: \"foreground\" is a global option and cannot be in a section"));
  const std::string both = problems_of(kSafe + "a = 1\nredirect = b:1\n");
  CHECK(has(both, "s.conf:8:1: error: stunnel has no option \"a\""));
  CHECK(has(both, "s.conf:9:1: error: \"redirect\" is refused: is for servers"));
}

TEST_CASE("what stunnel starts with starts here, too, with a warning") {
  const std::string text =
      "[a]\nclient = yes\naccept = *:1389\nconnect = b:1\nkey = k.pem\n"
      "TIMEOUTconnect = 0\n";
  const config::Service service = services(text).at(0);
  REQUIRE(service.accept.size() == 2);
  CHECK(service.accept[0].text == "*:1389");
  CHECK(service.tls->key.empty());
  CHECK(service.timeouts.connect == Millis(1000));
  const std::string problems = problems_of(text);
  CHECK(has(problems, "s.conf:3:10: warning: accept = *:1389 is every address of this machine"));
  CHECK(has(problems, "s.conf:5:1: warning: \"key\" has no effect without cert"));
  CHECK(has(problems, "s.conf:6:18: warning: TIMEOUTconnect = 0 reaches only"));
}

TEST_CASE("a target of another family than local is left out, unless it is the only one") {
  const std::string text =
      "[a]\nclient = yes\naccept = 127.0.0.1:1\nlocal = 127.0.0.2\nconnect = ::1:636\n";
  const std::string two = text + "connect = 127.0.0.1:636\n";
  const config::Service service = services(two).at(0);
  REQUIRE(service.connect.at(0).size() == 1);
  CHECK(service.connect[0][0].text == "127.0.0.1:636");
  CHECK(has(problems_of(two), "s.conf:5:11: warning: \"::1:636\" is left out, as in stunnel"));
  CHECK(has(problems_of(text), "s.conf:5:11: error: target \"[::1]:636\" cannot be reached"));
}

TEST_CASE("a port alone accepts at every address, with a warning") {
  const std::string text = "[a]\nclient = yes\naccept = 1389\nconnect = 636\n";
  const config::Service service = services(text).at(0);
  CHECK(service.allow_remote);
  REQUIRE(service.accept.size() == 2);
  CHECK(service.accept[0].text == "*:1389");
  CHECK(service.connect.at(0).at(0).text == "localhost:636");
  CHECK(has(problems_of(text), "s.conf:3:10: warning: accept = 1389 is every address"));
  const auto accept_of = [](const std::string& accept) {
    return services("[a]\nclient = yes\nconnect = b:1\naccept = " + accept + "\n").at(0).accept;
  };
  CHECK(accept_of("::1:1").at(0).text == "[::1]:1");
  CHECK(accept_of("[::1]:1").at(0).text == "[::1]:1");
  CHECK(accept_of(":::1").at(0).text == "*:1");
  CHECK(accept_of(":::1\nsocket = a:IPV6_V6ONLY=yes").at(0).text == "[::]:1");
  CHECK(accept_of("/run/a.sock").at(0).form == config::Accept::Form::unix_socket);
  CHECK(has(problems_of(kSafe + "accept = :1\n"), "the host in front of \":\" is missing"));
}

TEST_CASE("rr makes every address of a name a target, delay makes it prio") {
  const std::string two =
      "[a]\nclient = yes\naccept = 127.0.0.1:1\nconnect = b:2\n"
      "connect = 10.0.0.1:2\nfailover = rr\n";
  const config::Service turns = services(two).at(0);
  CHECK(turns.balance == config::Balance::round_robin);
  CHECK(turns.connect.at(0).at(0).expand);
  CHECK_FALSE(turns.connect.at(0).at(1).expand);
  const config::Service delayed = services(two + "delay = yes\n").at(0);
  CHECK(delayed.balance == config::Balance::first);
  CHECK_FALSE(delayed.connect.at(0).at(0).expand);
}

TEST_CASE("every way to verify keeps its meaning") {
  const auto tls = [](const std::string& lines) {
    return *services("[a]\nclient = yes\naccept = 127.0.0.1:1\nconnect = b:2\n" + lines).at(0).tls;
  };
  CHECK(tls("").verify == config::Verify::none);
  CHECK(tls("CAfile = /c\n").verify == config::Verify::none);
  CHECK(tls("verify = 2\nCAfile = /c\nCApath = /d\n").verify == config::Verify::chain);
  CHECK(tls("verify = 2\nCAfile = /c\nCApath = /d\n").ca == std::vector<std::string>{"/c", "/d"});
  const config::Tls both = tls("verify = 3\nCAfile = /c\n");
  CHECK(both.verify == config::Verify::chain);
  CHECK(both.peer_certs == std::vector<std::string>{"/c"});
  const config::Tls peer = tls("verify = 4\nCAfile = /c\n");
  CHECK(peer.verify == config::Verify::pin);
  CHECK(peer.peer_certs == std::vector<std::string>{"/c"});
  CHECK(peer.ca.empty());
  CHECK(tls("verifyPeer = yes\nCApath = /d\n").peer_certs == std::vector<std::string>{"/d"});
  CHECK(tls("verifyPeer = yes\nCAfile = /c\nCApath = /d\n").peer_certs ==
        std::vector<std::string>{"/c", "/d"});
  CHECK(tls("verify = 4\nverifyPeer = no\n").verify == config::Verify::none);
  CHECK(tls("verifyChain = yes\nCAfile = /c\nCRLfile = /r\nCRLpath = /s\n").crl ==
        std::vector<std::string>{"/r", "/s"});
  CHECK(tls("PSKsecrets = /p\nPSKidentity = i\n").psk_identity == "i");
  CHECK(tls("PSKsecrets = /p\n").verify == config::Verify::full);
  const std::string start = "[a]\nclient = yes\naccept = 127.0.0.1:1\nconnect = b:2\n";
  CHECK(has(problems_of(start + "verifyChain = yes\n"), "nothing to verify the server's"));
  CHECK(has(problems_of(start + "checkHost = b\n"), "not checked without verifyChain"));
  CHECK(has(problems_of(start + "verifyPeer = yes\nCAfile = /c\nCRLfile = /r\n"),
            "s.conf:7:1: error: revocation lists are not checked"));
  CHECK(has(problems_of(start), "s.conf:1:1: warning: service \"a\" does not check who answers"));
}

TEST_CASE("protocols become starttls, a proxy or an error") {
  const std::string start = "[a]\nclient = yes\naccept = 127.0.0.1:1\n";
  const config::Service smtp = services(start +
                                        "connect = b:2\nprotocol = SMTP\nprotocolHost = desk\n"
                                        "protocolUsername = u\nprotocolPassword = p\n"
                                        "protocolAuthentication = login\n")
                                   .at(0);
  CHECK(smtp.starttls == config::Starttls::smtp);
  CHECK(smtp.helo == "desk");
  REQUIRE(smtp.smtp_login);
  CHECK(smtp.smtp_login->method == config::SmtpLogin::Method::login);
  CHECK(smtp.smtp_login->password == "p");
  const config::Service behind =
      services(start +
               "connect = proxy:3128\nprotocol = connect\nprotocolHost = ::1:636\n"
               "protocolUsername = u@x\nprotocolPassword = p:\nprotocolHeader = A: b\n")
          .at(0);
  REQUIRE(behind.proxies.size() == 1);
  CHECK(behind.proxies[0].user == "u@x");
  CHECK(behind.proxies[0].password == "p:");
  CHECK(behind.proxies[0].headers == std::vector<std::string>{"A: b"});
  CHECK(behind.connect.at(0).at(0).text == "[::1]:636");
  const config::Service behind_two =
      services(start +
               "connect = proxy:3128\nconnect = 8080\nprotocol = connect\n"
               "protocolHost = b:636\nprotocolHeader = A: b\n")
          .at(0);
  REQUIRE(behind_two.proxies.size() == 2);
  CHECK(behind_two.proxies[0].host == "proxy");
  CHECK(behind_two.proxies[1].host == "localhost");
  CHECK(behind_two.proxies[1].port == 8080);
  CHECK(behind_two.proxies[1].headers == std::vector<std::string>{"A: b"});
  for (const char* word : {"socks", "cifs", "capwin", "capwinctrl", "proxy"}) {
    CHECK(has(problems_of(start + "connect = b:2\nprotocol = " + word + "\n"),
              "s.conf:5:12: error: protocol = " + std::string(word) + " is refused"));
  }
}

TEST_CASE("a file without a section is for inetd, and exec replaces accept") {
  const config::Service stdio = services("client = yes\nconnect = b:2\nservice = mail\n").at(0);
  CHECK(stdio.name == "mail");
  CHECK(stdio.accept.at(0).form == config::Accept::Form::stdio);
  const config::Service program = services(
                                      "[a]\nclient = yes\nexec = /bin/cat\nexecArgs = cat  -u\n"
                                      "retry = yes\nconnect = b:2\n")
                                      .at(0);
  CHECK(program.exec == "/bin/cat");
  CHECK(program.exec_name == "cat");
  CHECK(program.exec_args == std::vector<std::string>{"-u"});
  CHECK(program.retry == std::chrono::seconds(1));
  CHECK(has(problems_of("[a]\nclient = yes\nexec = /bin/cat\naccept = 127.0.0.1:1\n"),
            "TLS over the input and output of a program is not available"));
  CHECK(has(problems_of("client = yes\naccept = 1\nconnect = b:2\n"), "there is no section"));
}

TEST_CASE("with output, foreground = yes shows the log on standard error, too") {
  const auto log_file = [](const std::string& lines) {
    return stunnel(lines + "output = /l\n" + kSafe).config.global.log_file;
  };
  using Places = std::vector<std::string>;
  CHECK(log_file("foreground = yes\n") == Places{"/l", "stderr"});
  CHECK(log_file("foreground = quiet\n") == Places{"/l"});
  CHECK(log_file("foreground = no\n") == Places{"/l"});
}

TEST_CASE("options of the process and of sockets") {
  const config::Document document = stunnel(
      "foreground = quiet\ndebug = 7\npid = /p\nchroot = /r/\n"
      "syslog = no\n" +
      kSafe + "socket = r:SO_SNDBUF=4096\nsocket = r:SO_SNDBUF=8192\n");
  CAPTURE(document.render());
  REQUIRE_FALSE(document.has_errors());
  const config::Global& global = document.config.global;
  CHECK(global.foreground);
  CHECK(global.log_level == log::Level::debug);
  CHECK(global.log_file == std::vector<std::string>{"/dev/null"});
  CHECK(global.pid_file == "/r/p");
  REQUIRE(document.config.services[0].socket_options.target.size() == 1);
  CHECK(document.config.services[0].socket_options.target[0].text == "8192");
}

TEST_CASE("folders are included as one stream of lines") {
  const test::TempFolder folder;
  (void)folder.write("d/10", "client = yes\n[svc]\naccept = 127.0.0.1:1\n");
  (void)folder.write("d/20~", "connect = b:2\n");
  const std::string main = folder.write("s.conf", "include = " + folder.path("d") + "\n");
  config::Document document = import::load(main);
  CHECK_FALSE(document.has_errors());
  CHECK(document.config.services.at(0).name == "svc");
  CHECK(has(document.render(), "20~ is read, too"));
  (void)folder.write("d/30", "include = " + folder.path("d") + "\n");
  CHECK(has(import::load(main).render(), "30 includes itself"));
}

TEST_CASE("a converted file prints to TOML that means the same, with remarks") {
  const config::Document document = stunnel(
      "debug = 4\nRNDfile = /dev/urandom\n[a]\nclient = yes\naccept = 389\nconnect = b:2\n"
      "connect = c:3\nstack = 1\nsslVersion = TLSv1.2\n");
  REQUIRE_FALSE(document.has_errors());
  const std::string text = config::print(document.config, document.remarks());
  CAPTURE(text);
  config::Document again = import::parse(text, "/etc/t.toml", config::System::leave_alone);
  CHECK(again.config.services == document.config.services);
  CHECK(again.config.global == document.config.global);
  CHECK(has(text, "# RNDfile = /dev/urandom has no effect"));
  CHECK(has(text, "# stack = 1 has no effect: connections have no threads of their own\n[a]\n"));
  CHECK(has(text, "without this line is safer\nallow_remote = true\n"));
  CHECK(has(text, "the chain and the name are checked\nverify = \"none\"\n"));
  CHECK(has(text, "\nallow_key_usage_violation = true\n"));
}

}  // namespace tunnel::import

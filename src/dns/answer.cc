// SPDX-License-Identifier: MIT
#include "dns/answer.h"

namespace tunnel::dns {

std::string_view word(Status status) {
  switch (status) {
    case Status::ok:
      return "ok";
    case Status::nxdomain:
      return "nxdomain";
    case Status::nodata:
      return "nodata";
    case Status::servfail:
      return "servfail";
    case Status::timeout:
      return "timeout";
    case Status::unreachable:
      return "unreachable";
    case Status::malformed:
      return "malformed";
    case Status::bad_name:
      return "bad_name";
    case Status::failed:
      return "failed";
  }
  return "?";
}

std::string_view describe(Status status) {
  switch (status) {
    case Status::ok:
      return "ok";
    case Status::nxdomain:
      return "no such name (NXDOMAIN)";
    case Status::nodata:
      return "the name has no records of this type";
    case Status::servfail:
      return "all name servers fail or refuse to answer (SERVFAIL, REFUSED)";
    case Status::timeout:
      return "no name server answered in time";
    case Status::unreachable:
      return "no name server can be reached, or all of them fail (SERVFAIL, REFUSED)";
    case Status::malformed:
      return "the name server's answer is malformed";
    case Status::bad_name:
      return "this is not a valid DNS name";
    case Status::failed:
      return "the question could not be sent";
  }
  return "?";
}

}  // namespace tunnel::dns

// SPDX-License-Identifier: MIT
#include "web/exposition.h"

#include <prometheus/text_serializer.h>

#include <charconv>
#include <cmath>
#include <string_view>

namespace tunnel::web {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

std::string number(double value) {
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, value);
  return {text, end.ptr};
}

// A bound is a floating-point number, and is written as one.
std::string bound(double value) {
  std::string text = number(value);
  if (text.find_first_of(".eI") == std::string::npos) text += ".0";
  return text;
}

void append_escaped(std::string& out, std::string_view text) {
  for (const char c : text) {
    if (c == '\\' || c == '"') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
}

void append(std::string& out, std::string_view name, const ClientMetric& metric,
            const std::string& le, const std::string& value) {
  out += name;
  char separator = '{';
  const auto label = [&](std::string_view key, std::string_view its) {
    out += separator;
    separator = ',';
    out += key;
    out += "=\"";
    append_escaped(out, its);
    out += '"';
  };
  for (const ClientMetric::Label& each : metric.label) label(each.name, each.value);
  if (!le.empty()) label("le", le);
  if (separator == ',') out += '}';
  out += ' ';
  out += value;
  out += '\n';
}

void append(std::string& out, const MetricFamily& family, std::string_view base) {
  const std::string name(base);
  for (const ClientMetric& metric : family.metric) {
    switch (family.type) {
      case MetricType::Counter:
        append(out, family.name, metric, "", number(metric.counter.value));
        break;
      case MetricType::Histogram:
        for (const ClientMetric::Bucket& bucket : metric.histogram.bucket) {
          append(out, name + "_bucket", metric, bound(bucket.upper_bound),
                 std::to_string(bucket.cumulative_count));
        }
        append(out, name + "_count", metric, "", std::to_string(metric.histogram.sample_count));
        append(out, name + "_sum", metric, "", number(metric.histogram.sample_sum));
        break;
      default:
        append(out, family.name, metric, "", number(metric.gauge.value));
        break;
    }
  }
}

std::string_view type_word(MetricType type) {
  if (type == MetricType::Counter) return "counter";
  return type == MetricType::Histogram ? "histogram" : "gauge";
}

}  // namespace

std::string prometheus_text(const std::vector<MetricFamily>& families) {
  return prometheus::TextSerializer().Serialize(families);
}

// The library writes the older format only. What differs: the family of a counter goes without
// "_total", the text has an end, and a unit is named if the name has one.
std::string open_metrics_text(const std::vector<MetricFamily>& families) {
  std::string out;
  for (const MetricFamily& family : families) {
    std::string_view base = family.name;
    if (family.type == MetricType::Counter && base.ends_with("_total")) base.remove_suffix(6);
    const std::string name(base);
    out += "# TYPE " + name + " " + std::string(type_word(family.type)) + "\n";
    for (const std::string_view unit : {"seconds", "bytes"}) {
      if (base.ends_with("_" + std::string(unit))) out += "# UNIT " + name + " " + std::string(unit) + "\n";
    }
    out += "# HELP " + name + " ";
    append_escaped(out, family.help);
    out += '\n';
    append(out, family, base);
  }
  return out + "# EOF\n";
}

}  // namespace tunnel::web

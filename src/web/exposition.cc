// SPDX-License-Identifier: MIT
#include "web/exposition.h"

#include <charconv>
#include <cmath>
#include <cstdint>
#include <string_view>

namespace tunnel::web {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

// std::to_chars knows no locale, and gives the shortest text that reads back as the same number.
void add_number(std::string& out, double value) {
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, value);
  out.append(text, end.ptr);
}

void add_number(std::string& out, std::uint64_t value) {
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, value);
  out.append(text, end.ptr);
}

enum class Format { prometheus, open_metrics };

// "0.0005": a label, which has to be the same text for ever. OpenMetrics has bounds with a point.
std::string bound(double value, Format format) {
  if (std::isinf(value)) return "+Inf";
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, value, std::chars_format::fixed);
  std::string bound(text, end.ptr);
  if (format == Format::open_metrics && bound.find('.') == std::string::npos) bound += ".0";
  return bound;
}

void add_escaped(std::string& out, std::string_view text) {
  for (const char c : text) {
    if (c == '\\' || c == '"') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
}

// `service="ldap",direction="up"`
void add_labels(std::string& out, const ClientMetric& metric) {
  for (const ClientMetric::Label& label : metric.label) {
    if (&label != &metric.label.front()) out += ',';
    out += label.name;
    out += "=\"";
    add_escaped(out, label.value);
    out += '"';
  }
}

// One line. `labels` are as add_labels() writes them, `le` is for a bucket only.
template <class Value>
void add_sample(std::string& out, std::string_view name, std::string_view suffix,
                std::string_view labels, std::string_view le, Value value) {
  out += name;
  out += suffix;
  if (!labels.empty() || !le.empty()) {
    out += '{';
    out += labels;
    if (!le.empty()) {
      if (!labels.empty()) out += ',';
      out += "le=\"";
      out += le;
      out += '"';
    }
    out += '}';
  }
  out += ' ';
  add_number(out, value);
  out += '\n';
}

// Its labels are written once: they are most of the text, and the same in each line.
void add_histogram(std::string& out, std::string_view name, std::string_view labels,
                   const ClientMetric::Histogram& histogram, Format format) {
  for (const ClientMetric::Bucket& bucket : histogram.bucket) {
    add_sample(out, name, "_bucket", labels, bound(bucket.upper_bound, format),
               bucket.cumulative_count);
  }
  add_sample(out, name, "_count", labels, "", histogram.sample_count);
  add_sample(out, name, "_sum", labels, "", histogram.sample_sum);
}

void add_samples(std::string& out, const MetricFamily& family, std::string_view base,
                 Format format) {
  std::string labels;
  for (const ClientMetric& metric : family.metric) {
    labels.clear();
    add_labels(labels, metric);
    switch (family.type) {
      case MetricType::Counter:
        add_sample(out, base, "_total", labels, "", metric.counter.value);
        break;
      case MetricType::Histogram:
        add_histogram(out, base, labels, metric.histogram, format);
        break;
      default:
        add_sample(out, base, "", labels, "", metric.gauge.value);
        break;
    }
  }
}

std::string_view type_word(MetricType type) {
  if (type == MetricType::Counter) return "counter";
  return type == MetricType::Histogram ? "histogram" : "gauge";
}

// The name without what only the samples of a counter have.
std::string_view base_of(const MetricFamily& family) {
  std::string_view base = family.name;
  if (family.type == MetricType::Counter && base.ends_with("_total")) base.remove_suffix(6);
  return base;
}

void add_line(std::string& out, std::string_view keyword, std::string_view name,
              std::string_view text) {
  out += keyword;
  out += name;
  out += ' ';
  out += text;
  out += '\n';
}

}  // namespace

// Not by the library, which takes more than twice as long: of a thousand services it is fifty
// thousand lines.
std::string prometheus_text(const std::vector<MetricFamily>& families) {
  std::string out;
  for (const MetricFamily& family : families) {
    add_line(out, "# HELP ", family.name, family.help);
    add_line(out, "# TYPE ", family.name, type_word(family.type));
    add_samples(out, family, base_of(family), Format::prometheus);
  }
  return out;
}

// The family of a counter goes without "_total", the text has an end, and a unit is named if the
// name has one.
std::string open_metrics_text(const std::vector<MetricFamily>& families) {
  std::string out;
  for (const MetricFamily& family : families) {
    const std::string_view base = base_of(family);
    add_line(out, "# TYPE ", base, type_word(family.type));
    for (const std::string_view unit : {"seconds", "bytes"}) {
      if (base.ends_with(unit)) add_line(out, "# UNIT ", base, unit);
    }
    add_line(out, "# HELP ", base, family.help);
    add_samples(out, family, base, Format::open_metrics);
  }
  return out + "# EOF\n";
}

}  // namespace tunnel::web

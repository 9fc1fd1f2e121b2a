// SPDX-License-Identifier: MIT
#include "web/page_parts.h"

namespace tunnel::web {

// Small screens scroll its tables, not the page.
const char* const kPageStyle =
    ":root{color-scheme:light dark;--ink:#1a1a1a;--paper:#fff;--line:#767676;--soft:#f2f2f2;"
    "--bad:#a40000;--good:#00591c}"
    "@media(prefers-color-scheme:dark){:root{--ink:#eee;--paper:#161616;--line:#8c8c8c;"
    "--soft:#262626;--bad:#ff9d94;--good:#8fdc9f}}"
    "body{font:15px/1.45 system-ui,sans-serif;color:var(--ink);background:var(--paper);"
    "margin:0 auto;padding:.8em;max-width:76em}"
    "h1{font-size:1.3em;margin:.2em 0}h2{font-size:1.1em;margin:1.4em 0 "
    ".3em}h3{font-size:1em;margin:.8em 0 .3em}"
    "table{border-collapse:collapse;min-width:100%}"
    "th,td{text-align:left;padding:.2em .6em;border-bottom:1px solid var(--line);"
    "vertical-align:top}th{background:var(--soft)}"
    // What is said of the row above it.
    "tr:has(+.more)>td{border-bottom:0}.more>td{padding-top:0;font-size:.9em;max-width:60em}"
    ".n{text-align:right;font-variant-numeric:tabular-nums}"
    ".scroll{overflow-x:auto}.bad{color:var(--bad);font-weight:600}"
    ".good{color:var(--good)}"
    "figure{display:inline-block;margin:.3em 1em .3em 0;width:20em;max-width:100%}"
    "figcaption{font-size:.85em}svg{width:100%;height:auto}"
    ".axis{stroke:var(--line);stroke-width:.5}polyline{fill:none;stroke:var(--ink);"
    "stroke-width:1.5;stroke-linecap:round}.second{stroke-dasharray:4 3}"
    "a{color:inherit}nav a{margin-right:1em}"
    "p,li,dt,dd,h1,h2,h3,figcaption{overflow-wrap:anywhere}"
    "form{margin:.4em 0}label{margin-right:.8em}input,select,button{font:inherit;max-width:100%}";

}  // namespace tunnel::web

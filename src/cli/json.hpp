#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "base/units.hpp"

namespace howdah::cli {

/// Keys in the order they are added: the JSON output is a contract that people read too.
using Json = nlohmann::ordered_json;

/// An object beginning with "schema": 1, the version of every JSON output.
inline Json json_document() { return Json{{"schema", 1}}; }

/// Times as RFC 3339 text, absent ones as null.
inline Json json_time(std::optional<base::Timestamp> time) { return time ? Json(base::text(*time)) : Json(nullptr); }
inline Json json_seconds(std::optional<base::Duration> duration) {
    return duration ? Json(std::chrono::duration<double>(*duration).count()) : Json(nullptr);
}

/// The document on one line. Bytes of a path that are not UTF-8 become U+FFFD: plain dump() would throw.
std::string compact_text(const Json& document);

/// Prints a document as indented lines.
void print_json(const Json& document);

}  // namespace howdah::cli

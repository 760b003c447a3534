#pragma once

#include <string>
#include <vector>

namespace howdah::preflight {

/// How bad a finding is. `notice` is worth knowing and needs no action; `warning` and `critical` are things found: the check fails.
enum class Severity { ok, notice, warning, critical };
/// "ok", "notice", "warning", "critical".
std::string word(Severity severity);

/// What was looked at, with what was seen and what to do about it.
struct Finding {
    std::string check;  ///< Stable name, such as "archive_timeout".
    Severity severity = Severity::ok;
    std::string value;   ///< What was seen.
    std::string what;    ///< What it means, one clause.
    std::string advice;  ///< What to do; empty only where nothing is to be done.
};
using Findings = std::vector<Finding>;

Severity worst(const Findings& findings);

}  // namespace howdah::preflight

#include "preflight/finding.hpp"

#include <algorithm>

namespace howdah::preflight {

std::string word(Severity severity) {
    switch (severity) {
        case Severity::ok: return "ok";
        case Severity::notice: return "notice";
        case Severity::warning: return "warning";
        case Severity::critical: return "critical";
    }
    return "critical";
}

Severity worst(const Findings& findings) {
    Severity severity = Severity::ok;
    for (const auto& finding : findings) severity = std::max(severity, finding.severity);
    return severity;
}

}  // namespace howdah::preflight

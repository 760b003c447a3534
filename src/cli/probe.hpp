#pragma once

#include <string>
#include <vector>

namespace howdah::cli {

struct Context;

/// The exit codes of monitoring plugins (monitoring-plugins.org, development guidelines); UNKNOWN is 3, for what could not be looked at.
enum class ProbeState { ok = 0, warning = 1, critical = 2 };

/// Prints a probe's answer, "CRITICAL: sentence | figures" and the details on the lines after it, and sets the exit code.
void answer_probe(Context& context, ProbeState state, const std::string& sentence, const std::string& figures,
                  const std::vector<std::string>& details = {});

}  // namespace howdah::cli

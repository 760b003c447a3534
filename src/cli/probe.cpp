#include "cli/probe.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "base/log.hpp"
#include "cli/context.hpp"
#include "cli/output.hpp"

namespace howdah::cli {

namespace {

/// A bar would begin the figures, a line's end the details.
std::string plain(std::string text) {
    std::replace(text.begin(), text.end(), '|', '/');
    std::replace(text.begin(), text.end(), '\n', ' ');
    return base::redact(text);
}

}  // namespace

void answer_probe(Context& context, ProbeState state, const std::string& sentence, const std::string& figures,
                  const std::vector<std::string>& details) {
    const char* word = state == ProbeState::ok ? "OK" : state == ProbeState::warning ? "WARNING" : "CRITICAL";
    std::string text = fmt::format("{}: {} | {}\n", word, plain(sentence), figures);
    for (const auto& detail : details) text += plain(detail) + "\n";
    print(text);
    context.exit_code = static_cast<int>(state);
}

}  // namespace howdah::cli

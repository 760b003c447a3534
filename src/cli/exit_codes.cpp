#include "cli/exit_codes.hpp"

#include <algorithm>
#include <initializer_list>
#include <string_view>

#include "archive/exit_codes.hpp"
#include "cli/context.hpp"

namespace howdah::cli {

Caller called_by_server(int argc, const char* const* argv) {
    const auto is = [](const char* word, std::initializer_list<std::string_view> words) {
        return std::find(words.begin(), words.end(), word) != words.end();
    };
    for (int i = 1; i < argc; ++i) {
        if (!is(argv[i], {"wal"})) continue;
        // Global options may stand between the area and its verb.
        for (int verb = i + 1; verb < argc && !is(argv[verb], {"setup", "status"}); ++verb) {
            if (is(argv[verb], {"fetch"})) return Caller::restore_command;
            if (is(argv[verb], {"push"})) return Caller::archive_command;
        }
    }
    return Caller::person;
}

int exit_code_of(const Context& context, const base::Failure& failure) {
    switch (context.called_by) {
        case Caller::restore_command: return archive::fetch_exit_code(failure);
        case Caller::archive_command: return archive::push_exit_code(failure);
        case Caller::person: break;
    }
    if (context.output == Output::nagios) return 3;
    return static_cast<int>(failure.kind());
}

int usage_exit_code(const Context& context) { return exit_code_of(context, base::Failure(base::FailureKind::usage, "wrong use")); }

}  // namespace howdah::cli

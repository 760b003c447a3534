#pragma once

#include <optional>

#include "base/failure.hpp"

namespace CLI {
class App;
class ParseError;
}  // namespace CLI

namespace howdah::cli {

/// The first option on the command line whose value is empty, as Failure(usage): `--to-time ''`, `--to-time=`, `backup show ''`. An empty
/// value is never taken for an option left out. The label of a backup may be empty.
std::optional<base::Failure> find_empty_value(const CLI::App& program, int argc, const char* const* argv);

/// What is wrong with a command line that could not be parsed, with a hint that names the command's own help: the first word or option
/// that nobody knows, with the nearest that there is; else what the parser found.
base::Failure explain_wrong_use(const CLI::App& program, const CLI::ParseError& error, int argc, const char* const* argv);

}  // namespace howdah::cli

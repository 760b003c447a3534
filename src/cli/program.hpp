#pragma once

namespace howdah::cli {

/// Parses the command line, runs the one command it names and returns the exit code.
int run_program(int argc, char** argv);

}  // namespace howdah::cli

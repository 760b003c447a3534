#pragma once

/// One function an area: adds its commands and options to the program. Each lives in the file of the area's name.
namespace CLI {
class App;
}

namespace howdah::cli {

struct Context;

void add_backup(CLI::App& program, Context& context);
void add_check(CLI::App& program, Context& context);
void add_config(CLI::App& program, Context& context);
void add_demo(CLI::App& program, Context& context);
void add_journal(CLI::App& program, Context& context);
void add_repo(CLI::App& program, Context& context);
void add_restore(CLI::App& program, Context& context);
void add_sample(CLI::App& program, Context& context);
void add_scratch(CLI::App& program, Context& context);
void add_wal(CLI::App& program, Context& context);

}  // namespace howdah::cli

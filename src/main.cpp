#include "cli/program.hpp"

int main(int argc, char** argv) { return howdah::cli::run_program(argc, argv); }

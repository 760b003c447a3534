#include "ground.hpp"

#include <unistd.h>

#include <fstream>
#include <sstream>

namespace howdah::tests {

namespace fs = std::filesystem;

void LibraryTest::SetUp() {
    std::string name = (fs::temp_directory_path() / "howdah-library-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
}

void LibraryTest::TearDown() {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
}

LibraryTest::Ran LibraryTest::run(const std::vector<std::string>& command, const std::map<std::string, std::string>& environment) {
    base::ProcessOptions options;
    options.environment = environment;
    const base::ProcessResult result = base::run_process(command, options);
    return {result.exit_code, result.output + result.errors};
}

testing::AssertionResult LibraryTest::runs(const std::vector<std::string>& command, const std::map<std::string, std::string>& environment) {
    const Ran ran = run(command, environment);
    if (ran.exit_code == 0) return testing::AssertionSuccess();
    return testing::AssertionFailure() << base::shell_quote(command) << " ended with " << ran.exit_code << ":\n" << ran.output;
}

std::string LibraryTest::read(const fs::path& file) {
    std::ostringstream text;
    text << std::ifstream(file).rdbuf();
    return text.str();
}

void LibraryTest::write(const fs::path& file, const std::string& text) {
    fs::create_directories(file.parent_path());
    std::ofstream(file) << text;
}

std::vector<std::string> LibraryTest::compilers() {
    std::vector<std::string> found{HOWDAH_COMPILER};
    for (const char* clang : {"/usr/bin/clang++-14", "/usr/bin/clang++", "/usr/bin/clang++-19"}) {
        if (!fs::exists(clang)) continue;
        found.emplace_back(clang);
        break;
    }
    return found;
}

}  // namespace howdah::tests

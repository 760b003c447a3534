#include <algorithm>
#include <regex>

#include "installed.hpp"

namespace howdah::tests {
namespace {

namespace fs = std::filesystem;

/// What an example must have said, as expressions.
struct Expected {
    const char* example;
    std::vector<const char*> words;
};

const std::vector<Expected> kExamples{
    {"connect", {"database postgres answers 42", "twice: 2", "twice: 4", "twice: 6", R"(error 22012 \(failed\): .*division by zero)"}},
    {"pool", {"200 calls over at most [12] connections", R"(gave up after 0\.[2-9] s)", "closed: 0 dropped"}},
    {"transaction", {"again: ", "sum 2000, each 1000"}},
    {"breaker",
     {R"(postgres: closed -> open \(dial_failures\))", "rejected in [0-9] ms: .*breaker is open", "state observe, opened [1-3] times"}},
    {"monitor", {"greeting: done in 1 tries", "warning: the server answers pings slowly", "breaker closed"}},
    {"values", {"7 howdah costs 19.90, 2 tags, ..seats.: 2., note NULL, same time", "70000", "NULL", "array as sent"}},
    {"lease", {"locked: 1", "locked: 0"}},
};

TEST_F(InstalledLibrary, EveryExampleBuildsAndRuns) {
    const fs::path programs = folder_ / "examples";
    ASSERT_NO_FATAL_FAILURE(build(source_folder() / "examples" / "client", programs));
    const postgres::ScratchServer server(postgres::ScratchOptions{});
    for (const Expected& expected : kExamples) {
        SCOPED_TRACE(expected.example);
        const Ran ran = run({(programs / expected.example).string()}, environment(server));
        EXPECT_EQ(ran.exit_code, 0) << ran.output;
        for (const char* words : expected.words)
            EXPECT_TRUE(std::regex_search(ran.output, std::regex(words))) << "wanted: " << words << "\nsaid: " << ran.output;
    }
    std::size_t there = 0;
    for (const auto& entry : fs::directory_iterator(source_folder() / "examples" / "client")) there += entry.path().extension() == ".cpp";
    EXPECT_EQ(there, kExamples.size()) << "an example is not run";
}

TEST_F(InstalledLibrary, TheGuidesFirstLinesWorkWithPkgConfigToo) {
    const std::string guide = read(source_folder() / "docs" / "use" / "library.md");
    std::smatch block;
    ASSERT_TRUE(std::regex_search(guide, block, std::regex("```cpp\n([^`]*)```")));
    write(folder_ / "first.cpp", block[1]);
    EXPECT_LE(std::count(block[1].first, block[1].second, '\n'), 12);

    const postgres::ScratchServer server(postgres::ScratchOptions{});
    for (const std::string name : {"howdah", "howdah-static"}) {
        SCOPED_TRACE(name);
        const fs::path program = folder_ / name;
        ASSERT_NO_FATAL_FAILURE(build_with_pkg_config(name, folder_ / "first.cpp", program));
        const Ran needed = run({"/usr/bin/readelf", "-d", program.string()});
        EXPECT_EQ(needed.output.find("libhowdah") == std::string::npos, name == "howdah-static") << needed.output;
        const Ran ran = run({program.string()}, environment(server));
        EXPECT_EQ(ran.exit_code, 0) << ran.output;
        EXPECT_NE(ran.output.find("PostgreSQL"), std::string::npos) << ran.output;
    }
}

TEST_F(InstalledLibrary, TheStaticLibraryIsAComponent) {
    write(folder_ / "source" / "CMakeLists.txt",
          "cmake_minimum_required(VERSION 3.16)\nproject(one LANGUAGES CXX)\nfind_package(howdah CONFIG REQUIRED COMPONENTS static)\n"
          "add_executable(one one.cpp)\ntarget_link_libraries(one PRIVATE howdah::static)\n");
    write(folder_ / "source" / "one.cpp",
          "#include <howdah/client.hpp>\nint main() { return howdah::Client::open({}).has_value() ? 0 : 1; }\n");
    ASSERT_NO_FATAL_FAILURE(build(folder_ / "source", folder_ / "built"));
    const Ran needed = run({"/usr/bin/readelf", "-d", (folder_ / "built" / "one").string()});
    EXPECT_EQ(needed.output.find("libhowdah"), std::string::npos) << needed.output;
    EXPECT_TRUE(runs({(folder_ / "built" / "one").string()}));
}

}  // namespace
}  // namespace howdah::tests

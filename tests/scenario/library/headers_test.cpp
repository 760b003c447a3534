#include <algorithm>
#include <regex>

#include "ground.hpp"
#include "support/programs.hpp"

namespace howdah::tests {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> public_headers() {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(source_folder() / "include" / "howdah")) names.push_back(entry.path().filename());
    std::sort(names.begin(), names.end());
    return names;
}

class PublicHeader : public LibraryTest, public testing::WithParamInterface<std::string> {};

TEST_P(PublicHeader, CompilesAloneAsCxx20) {
    for (const std::string& compiler : compilers()) {
        EXPECT_TRUE(runs({compiler, "-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Wpedantic", "-Werror",
                          "-I" + (source_folder() / "include").string(), "-x", "c++", "-include", "howdah/" + GetParam(), "/dev/null"}));
    }
}

TEST_P(PublicHeader, IncludesNothingBeyondTheStandardAndItself) {
    const std::string text = read(source_folder() / "include" / "howdah" / GetParam());
    const std::regex include(R"re(#include ([<"])([^>"]*)[>"])re");
    for (auto found = std::sregex_iterator(text.begin(), text.end(), include); found != std::sregex_iterator(); ++found) {
        const std::string name = (*found)[2];
        if ((*found)[1] == "\"") {
            EXPECT_TRUE(name.starts_with("howdah/")) << name;
        } else {
            EXPECT_EQ(name.find_first_of("./"), std::string::npos) << name << " is no header of standard C++";
        }
    }
}

TEST_P(PublicHeader, DeclaresEverythingInTheInlineNamespace) {
    const std::string text = read(source_folder() / "include" / "howdah" / GetParam());
    EXPECT_NE(text.find("namespace howdah::inline v0"), std::string::npos);
    EXPECT_FALSE(std::regex_search(text, std::regex(R"(namespace howdah(::(?!inline)\w+)* \{)")));
}

class Sources : public LibraryTest {};

TEST_F(Sources, NoneOfTheLibraryLeavesTheInlineNamespace) {
    const std::regex outside(R"((^|\n)namespace howdah \{)");
    for (const auto& entry : fs::recursive_directory_iterator(source_folder() / "src" / "client")) {
        const std::string extension = entry.path().extension();
        if (extension != ".cpp" && extension != ".hpp") continue;
        EXPECT_FALSE(std::regex_search(read(entry.path()), outside)) << entry.path() << ": write namespace howdah::inline v0 {";
    }
}

INSTANTIATE_TEST_SUITE_P(Each, PublicHeader, testing::ValuesIn(public_headers()),
                         [](const auto& header) { return fs::path(header.param).stem().string(); });

}  // namespace
}  // namespace howdah::tests

#include "layer_checker.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <fstream>

namespace howdah::tests {
namespace {

namespace fs = std::filesystem;

/// A made-up source tree in a private folder: base and client at the bottom, archive over storage.
class MadeUpTree : public testing::Test {
protected:
    void SetUp() override {
        std::string name = (fs::temp_directory_path() / "howdah-layers-XXXXXX").string();
        ASSERT_NE(mkdtemp(name.data()), nullptr);
        tree_ = name;
        write("src/LAYERS", "# comment\nbase:\nclient:\nstorage:\narchive: storage\n");
        for (const char* folder : {"base", "client", "storage", "archive"})
            write(std::string("src/") + folder + "/README.md", "takes, gives\n");
        write("src/archive/push.cpp", "#include \"storage/store.hpp\"\n#include \"base/file.hpp\"\n#include <sys/stat.h>\n");
        write("src/main.cpp", "#include \"archive/push.hpp\"\n");
    }
    void TearDown() override { fs::remove_all(tree_); }

    void write(const std::string& name, const std::string& text) const {
        fs::create_directories((tree_ / name).parent_path());
        std::ofstream(tree_ / name) << text;
    }

    std::vector<std::string> errors() const { return check_layers(tree_).errors; }

    fs::path tree_;
};

TEST_F(MadeUpTree, PassesWhenEveryArrowIsInTheTable) { EXPECT_EQ(errors(), std::vector<std::string>{}); }

TEST_F(MadeUpTree, NamesFileAndLineOfAnArrowNotInTheTable) {
    write("src/storage/store.cpp", "#include \"storage/store.hpp\"\n\n#  include \"archive/push.hpp\"\n");
    EXPECT_EQ(errors(), std::vector<std::string>{"src/storage/store.cpp:3: storage may not include archive: archive/push.hpp"});
}

TEST_F(MadeUpTree, SeesIncludesInAngleBracketsAndSubfolders) {
    write("src/storage/s3/sign.hpp", "#include <archive/push.hpp>\n");
    EXPECT_EQ(errors(), std::vector<std::string>{"src/storage/s3/sign.hpp:1: storage may not include archive: archive/push.hpp"});
}

TEST_F(MadeUpTree, KeepsBaseOutOfTheClientLibrary) {
    write("src/client/connection.cpp", "#include \"base/file.hpp\"\n");
    EXPECT_EQ(errors(), std::vector<std::string>{"src/client/connection.cpp:1: client may not include base: base/file.hpp"});
}

TEST_F(MadeUpTree, RefusesIncludesThatClimb) {
    write("src/storage/store.cpp", "#include \"../archive/push.hpp\"\n");
    EXPECT_EQ(errors(), std::vector<std::string>{"src/storage/store.cpp:1: an include must be written from src/: ../archive/push.hpp"});
}

TEST_F(MadeUpTree, FindsACycleInTheTable) {
    write("src/LAYERS", "base:\nclient:\nstorage: archive\narchive: storage\n");
    EXPECT_EQ(errors(), std::vector<std::string>{"src/LAYERS:1: a cycle: archive storage archive"});
}

TEST_F(MadeUpTree, FindsACycleThroughBase) {
    write("src/LAYERS", "base: storage\nclient:\nstorage:\narchive: storage\n");
    EXPECT_EQ(errors(), std::vector<std::string>{"src/LAYERS:1: a cycle: storage base storage"});
}

TEST_F(MadeUpTree, WantsEveryFolderInTheTableAndDescribed) {
    write("src/extra/thing.hpp", "#pragma once\n");
    const std::vector<std::string> expected{"src/LAYERS:1: no line for the folder extra", "src/extra:1: the folder has no README.md"};
    EXPECT_EQ(errors(), expected);
}

TEST_F(MadeUpTree, RefusesAFileOver600Lines) {
    std::string text;
    for (int i = 0; i < 600; ++i) text += "// line\n";
    write("src/storage/long.cpp", text);
    EXPECT_EQ(errors(), std::vector<std::string>{});
    write("src/storage/long.cpp", text + "// line\n");
    EXPECT_EQ(errors(), std::vector<std::string>{"src/storage/long.cpp:601: a file of 601 lines"});
}

TEST_F(MadeUpTree, WarnsOfAFunctionOver70Lines) {
    const auto function = [](int lines) {
        std::string text = "int main() {\n";
        for (int i = 0; i < lines - 2; ++i) text += "    call();\n";
        return text + "}\n";
    };
    write("src/storage/function.cpp", function(70));
    EXPECT_EQ(check_layers(tree_).warnings, std::vector<std::string>{});
    write("src/storage/function.cpp", function(71));
    EXPECT_EQ(check_layers(tree_).warnings, std::vector<std::string>{"src/storage/function.cpp:1: a function of 71 lines"});
}

TEST(Layers, TheTreeKeepsToItsTable) {
    const auto findings = check_layers(HOWDAH_SOURCE_DIR);
    for (const auto& error : findings.errors) ADD_FAILURE() << error;
    for (const auto& warning : findings.warnings) std::printf("warning: %s\n", warning.c_str());
}

}  // namespace
}  // namespace howdah::tests

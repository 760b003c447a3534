#include <regex>
#include <sstream>

#include "ground.hpp"
#include "support/programs.hpp"

namespace howdah::tests {
namespace {

namespace fs = std::filesystem;

/// tests/abi/libhowdah.abi is what programs linked with the library rely on; tests/abi/update.sh writes it.
class Abi : public LibraryTest {
protected:
    void SetUp() override {
        LibraryTest::SetUp();
        if (*HOWDAH_SANITIZED != '\0') GTEST_SKIP() << "a sanitizer changes what the library is made of";
#ifndef __x86_64__
        GTEST_SKIP() << "the dump is of amd64";
#endif
        if (!fs::exists("/usr/bin/abidiff")) GTEST_SKIP() << "abidiff is not installed (Debian: abigail-tools)";
    }

    static Ran compare(const fs::path& library) {
        return run({"/usr/bin/abidiff", "--exported-interfaces-only", "--headers-dir2", (source_folder() / "include" / "howdah").string(),
                    "--drop-private-types", (source_folder() / "tests" / "abi" / "libhowdah.abi").string(), library.string()});
    }

    /// The same objects linked once more with another list of exports.
    fs::path linked(const std::string& map) const {
        write(folder_ / "changed.map", map);
        const fs::path library = folder_ / "libhowdah.so";
        EXPECT_TRUE(
            runs({HOWDAH_COMPILER, "-shared", "-Wl,-soname,libhowdah.so.0", "-Wl,--version-script=" + (folder_ / "changed.map").string(),
                  "-Wl,--whole-archive", HOWDAH_STATIC_LIBRARY, "-Wl,--no-whole-archive", "-lpq", "-pthread", "-o", library.string()}));
        return library;
    }

    static std::string map() { return read(source_folder() / "src" / "client" / "libhowdah.map"); }
};

constexpr int kIncompatible = 8;  // of abidiff's exit code, a set of bits

TEST_F(Abi, IsThatOfTheDump) {
    const Ran ran = compare(HOWDAH_LIBRARY);
    EXPECT_EQ(ran.exit_code, 0) << ran.output << "HINT: if that is meant, write tests/abi anew with tests/abi/update.sh; "
                                << "what old programs cannot live with needs a new SONAME and inline namespace";
}

TEST_F(Abi, ARemovedFunctionIsSeen) {
    const std::string without = std::regex_replace(map(), std::regex(R"(\n *howdah::v0::read_url\*;)"), "");
    ASSERT_NE(without, map());
    const Ran ran = compare(linked(without));
    EXPECT_NE(ran.exit_code & kIncompatible, 0) << "exit code " << ran.exit_code << ": " << ran.output;
    EXPECT_NE(ran.output.find("1 Removed"), std::string::npos) << ran.output;
}

TEST_F(Abi, AnAddedFunctionIsSeenAndIsCompatible) {
    const std::string with =
        std::regex_replace(map(), std::regex("global:"), "global:\n    extern \"C++\" { howdah::v0::watch_forks*; };\n");
    const Ran ran = compare(linked(with));
    EXPECT_NE(ran.exit_code, 0);
    EXPECT_EQ(ran.exit_code & kIncompatible, 0) << ran.output;
}

TEST_F(Abi, NothingIsExportedBesideTheLibrarysOwn) {
    const Ran ran = run({"/usr/bin/nm", "-DC", "--defined-only", HOWDAH_LIBRARY});
    ASSERT_EQ(ran.exit_code, 0) << ran.output;
    std::istringstream lines(ran.output);
    std::string address, kind, name;
    std::size_t functions = 0;
    while (lines >> address >> kind && std::getline(lines, name)) {
        if (kind == "A") continue;
        ++functions;
        EXPECT_TRUE(name.starts_with(" howdah::v0::")) << name;
    }
    EXPECT_GT(functions, 50U);
}

TEST_F(Abi, TheNameSaysTheVersion) {
    const Ran ran = run({"/usr/bin/readelf", "-d", HOWDAH_LIBRARY});
    EXPECT_NE(ran.output.find("[libhowdah.so.0]"), std::string::npos) << ran.output;
}

}  // namespace
}  // namespace howdah::tests

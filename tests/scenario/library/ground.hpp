#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/process.hpp"

namespace howdah::tests {

/// A private folder for a test of the library as others get it, and the programs that look at it. All output of a program that ends
/// otherwise than expected goes into the failure.
class LibraryTest : public testing::Test {
protected:
    void SetUp() override;
    void TearDown() override;

    /// Runs to the end; both outputs together, the exit code apart.
    struct Ran {
        int exit_code = 0;
        std::string output;
    };
    static Ran run(const std::vector<std::string>& command, const std::map<std::string, std::string>& environment = {});
    /// The same; true when it ended with 0, with everything it said otherwise.
    static testing::AssertionResult runs(const std::vector<std::string>& command,
                                         const std::map<std::string, std::string>& environment = {});
    static std::string read(const std::filesystem::path& file);
    static void write(const std::filesystem::path& file, const std::string& text);
    /// g++ as the build uses it, and clang++ where it is installed.
    static std::vector<std::string> compilers();

    std::filesystem::path folder_;
};

}  // namespace howdah::tests

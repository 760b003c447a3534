#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "ground.hpp"
#include "postgres/scratch.hpp"
#include "support/programs.hpp"

namespace howdah::tests {

/// The library is installed below a private prefix, and programs are built against what lies there and run against a real server.
class InstalledLibrary : public LibraryTest {
protected:
    void SetUp() override;

    std::filesystem::path prefix() const { return folder_ / "installed"; }
    /// Where a file of that name was installed.
    std::filesystem::path folder_of(const std::string& name) const;
    /// A CMake project, any warning an error.
    void build(const std::filesystem::path& sources, const std::filesystem::path& into) const;
    /// One source file, with the flags that pkg-config gives for that name.
    void build_with_pkg_config(const std::string& name, const std::filesystem::path& source, const std::filesystem::path& program) const;
    /// What a program needs to find the server, and the shared library where it carries no path to it.
    std::map<std::string, std::string> environment(const postgres::ScratchServer& server) const;
};

}  // namespace howdah::tests

#include "installed.hpp"

namespace howdah::tests {

namespace fs = std::filesystem;

void InstalledLibrary::SetUp() {
    LibraryTest::SetUp();
    if (*HOWDAH_SANITIZED != '\0') GTEST_SKIP() << "a program that loads a sanitized library must be sanitized itself";
    for (const char* component : {"runtime", "development"}) {
        ASSERT_TRUE(
            runs({HOWDAH_COMMAND_CMAKE, "--install", HOWDAH_BUILD_FOLDER, "--prefix", prefix().string(), "--component", component}));
    }
}

fs::path InstalledLibrary::folder_of(const std::string& name) const {
    for (const auto& entry : fs::recursive_directory_iterator(prefix())) {
        if (entry.path().filename() == name) return entry.path().parent_path();
    }
    ADD_FAILURE() << name << " was not installed";
    return {};
}

void InstalledLibrary::build(const fs::path& sources, const fs::path& into) const {
    ASSERT_TRUE(runs({HOWDAH_COMMAND_CMAKE, "-S", sources.string(), "-B", into.string(), "-DCMAKE_PREFIX_PATH=" + prefix().string(),
                      std::string("-DCMAKE_CXX_COMPILER=") + HOWDAH_COMPILER, "-DCMAKE_CXX_FLAGS=-Wall -Wextra -Werror"}));
    ASSERT_TRUE(runs({HOWDAH_COMMAND_CMAKE, "--build", into.string(), "--parallel", "2"}));
}

void InstalledLibrary::build_with_pkg_config(const std::string& name, const fs::path& source, const fs::path& program) const {
    const Ran flags = run({"/usr/bin/pkg-config", "--cflags", "--libs", name}, {{"PKG_CONFIG_PATH", folder_of("howdah.pc").string()}});
    ASSERT_EQ(flags.exit_code, 0) << flags.output;
    const std::string compile =
        base::shell_quote({HOWDAH_COMPILER, "-std=c++20", "-Wall", "-Wextra", "-Werror", source.string(), "-o", program.string()});
    ASSERT_TRUE(runs({"/bin/sh", "-c", compile + " " + flags.output.substr(0, flags.output.find('\n'))}));
}

std::map<std::string, std::string> InstalledLibrary::environment(const postgres::ScratchServer& server) const {
    return {{"PGHOST", server.socket_directory().string()},
            {"PGPORT", std::to_string(server.port())},
            {"PGUSER", "postgres"},
            {"LD_LIBRARY_PATH", folder_of("libhowdah.so.0").string()}};
}

}  // namespace howdah::tests

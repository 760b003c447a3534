#include "installed.hpp"

namespace howdah::tests {

namespace fs = std::filesystem;

namespace {

/// A program that loads a sanitized library must be sanitized itself.
std::vector<std::string> flags_of_build() {
    std::vector<std::string> flags{"-Wall", "-Wextra", "-Werror"};
    if (*HOWDAH_SANITIZED != '\0') {
        flags.push_back("-g1");
        flags.push_back("-fno-sanitize-recover=all");
        flags.push_back(std::string("-fsanitize=") + HOWDAH_SANITIZED);
    }
    return flags;
}

}  // namespace

void InstalledLibrary::SetUp() {
    LibraryTest::SetUp();
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
                      std::string("-DCMAKE_CXX_COMPILER=") + HOWDAH_COMPILER, "-DCMAKE_CXX_FLAGS=" + base::shell_quote(flags_of_build())}));
    ASSERT_TRUE(runs({HOWDAH_COMMAND_CMAKE, "--build", into.string(), "--parallel", "2"}));
}

void InstalledLibrary::build_with_pkg_config(const std::string& name, const fs::path& source, const fs::path& program) const {
    const Ran flags = run({"/usr/bin/pkg-config", "--cflags", "--libs", name}, {{"PKG_CONFIG_PATH", folder_of("howdah.pc").string()}});
    ASSERT_EQ(flags.exit_code, 0) << flags.output;
    std::vector<std::string> compile{HOWDAH_COMPILER, "-std=c++20", source.string(), "-o", program.string()};
    for (const std::string& flag : flags_of_build()) compile.push_back(flag);
    ASSERT_TRUE(runs({"/bin/sh", "-c", base::shell_quote(compile) + " " + flags.output.substr(0, flags.output.find('\n'))}));
}

std::map<std::string, std::string> InstalledLibrary::environment(const postgres::ScratchServer& server) const {
    return {{"PGHOST", server.socket_directory().string()},
            {"PGPORT", std::to_string(server.port())},
            {"PGUSER", "postgres"},
            {"LD_LIBRARY_PATH", folder_of("libhowdah.so.0").string()}};
}

}  // namespace howdah::tests

// PostgreSQL starts the program once for each WAL segment: what it loads is paid that often.
#include <gtest/gtest.h>

#include <regex>
#include <set>
#include <string>

#include "base/file.hpp"
#include "ground.hpp"
#include "support/programs.hpp"

namespace howdah::tests {
namespace {

/// Libraries that the loader maps before main, by readelf.
std::set<std::string> needed_by(const std::filesystem::path& program) {
    const auto result = base::run_process({"readelf", "-d", program.string()});
    EXPECT_EQ(result.exit_code, 0) << result.errors;
    std::set<std::string> names;
    const std::regex pattern(R"(\(NEEDED\).*\[([^\]]+)\])");
    for (std::sregex_iterator found(result.output.begin(), result.output.end(), pattern), end; found != end; ++found)
        names.insert((*found)[1]);
    return names;
}

TEST(Start, LoadsFewLibraries) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    GTEST_SKIP() << "with a sanitizer the program is linked as usual";
#endif
    const std::set<std::string> known{"libc.so.6", "libm.so.6", "libzstd.so.1", "liblz4.so.1", "libxxhash.so.0"};
    for (const auto& name : needed_by(howdah_program())) {
        if (name.starts_with("ld-linux")) continue;
        EXPECT_TRUE(known.contains(name)) << name << " is loaded at every start; is a function of it missing in src/loading?";
    }
}

TEST(Start, SaysWhichLibraryCannotBeLoaded) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    GTEST_SKIP() << "with a sanitizer the program is linked as usual";
#endif
    auto& server = shared_server();
    const base::TemporaryDirectory place("cli-start");
    std::filesystem::permissions(place.path(), std::filesystem::perms(0755));
    base::write_file_durably(place.path() / "libcrypto.so.3", "no library\n", 0644);
    const Environment environment{{"LD_LIBRARY_PATH", place.path().string()}};
    expect_answer(server.howdah({"repo", "info"}, environment), 1, {"cannot load libcrypto.so.3: ", "libssl3"});
    // 1 to 125 would be the end of WAL to PostgreSQL.
    const auto fetch = "cd " + base::shell_quote({server.server().data_directory().string()}) + " && exec " +
                       base::shell_quote({server.binary().string(), "--config", server.config_file().string(), "wal", "fetch",
                                          "0000000100000000000000FF", (place.path() / "file").string()});
    base::ProcessOptions options;
    if (::geteuid() == 0) options.user = server.server().user();
    options.environment = environment;
    expect_answer(base::run_process({"sh", "-c", fetch}, options), 126, {"cannot load libcrypto.so.3: "});
}

}  // namespace
}  // namespace howdah::tests

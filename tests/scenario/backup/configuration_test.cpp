// Configuration that lives outside the data directory: into the backup and back.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/file.hpp"
#include "support/protected_server.hpp"

namespace howdah::tests {
namespace {

namespace fs = std::filesystem;

/// Writes a file of the server's user, with the folders above it.
void write_as_server(ProtectedServer& protectee, const fs::path& path, const std::string& text) {
    const auto& user = protectee.server().user();
    base::create_directories_durably(path.parent_path(), 0755);
    base::write_file_durably(path, text, 0644);
    if (::geteuid() == 0 && ::chown(path.c_str(), user.uid, user.gid) != 0) throw std::runtime_error("chown failed: " + path.string());
}

void append_as_server(ProtectedServer& protectee, const fs::path& path, const std::string& text) {
    write_as_server(protectee, path, base::read_file(path) + text);
}

/// A server whose postgresql.conf includes a file that lies elsewhere.
struct WithOutside {
    ProtectedServer protectee;
    fs::path outside = protectee.workspace() / "etc/extra.conf";

    WithOutside() {
        write_as_server(protectee, outside, "work_mem = '7MB'\n");
        append_as_server(protectee, protectee.server().data_directory() / "postgresql.conf", "include '" + outside.string() + "'\n");
        protectee.session().query("SELECT pg_reload_conf()");
    }
};

TEST(OutsideConfiguration, IsPutElsewhereAndAnInterruptedRunGoesOn) {
    WithOutside ground;
    auto& protectee = ground.protectee;
    protectee.howdah_ok({"backup", "run"});
    const auto into = protectee.workspace() / "restored", to = protectee.workspace() / "config";
    const auto placed = fs::path(to.string() + ground.outside.string());
    const std::vector<std::string> words{"restore", "--into", into.string(), "--to-backup-end", "--config-to", to.string()};
    EXPECT_NE(protectee.howdah(words, {{"HOWDAH_FAULT", "restore.configured"}}).exit_code, 0);
    EXPECT_EQ(base::read_file(placed), "work_mem = '7MB'\n");
    EXPECT_FALSE(fs::exists(into / "global/pg_control"));
    protectee.howdah_ok(words);
    EXPECT_TRUE(fs::exists(into / "global/pg_control"));
}

TEST(OutsideConfiguration, IsRefusedBeforeAnythingIsCopied) {
    WithOutside ground;
    auto& protectee = ground.protectee;
    protectee.howdah_ok({"backup", "run"});
    const auto into = protectee.workspace() / "restored", to = protectee.workspace() / "config";
    write_as_server(protectee, to.string() + ground.outside.string(), "work_mem = '9MB'\n");
    for (const bool dry_run : {true, false}) {
        std::vector<std::string> words{"restore", "--into", into.string(), "--to-backup-end", "--config-to", to.string()};
        if (dry_run) words.emplace_back("--dry-run");
        const auto refused = protectee.howdah(words);
        EXPECT_EQ(refused.exit_code, 1);
        EXPECT_NE(refused.errors.find("there already, with other content"), std::string::npos) << refused.errors;
        EXPECT_FALSE(fs::exists(into));
    }
    const auto unwritable = protectee.howdah({"restore", "--into", into.string(), "--to-backup-end", "--config-to", "/proc"});
    EXPECT_EQ(unwritable.exit_code, 1);
    EXPECT_NE(unwritable.errors.find("configuration cannot be put"), std::string::npos) << unwritable.errors;
    EXPECT_FALSE(fs::exists(into));
    const auto both = protectee.howdah({"restore", "--into", into.string(), "--config-to", to.string(), "--start"});
    EXPECT_EQ(both.exit_code, 2);
    EXPECT_NE(both.errors.find("HINT"), std::string::npos) << both.errors;
}

}  // namespace
}  // namespace howdah::tests

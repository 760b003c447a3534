// Parts of tablespaces that were moved to another disk and linked, as people do when a disk is full.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "support/protected_server.hpp"

namespace howdah::tests {
namespace {

namespace fs = std::filesystem;

fs::path make_folder(ProtectedServer& protectee, const std::string& name) {
    const auto folder = protectee.workspace() / name;
    const auto& user = protectee.server().user();
    fs::create_directories(folder);
    if (::geteuid() == 0 && ::chown(folder.c_str(), user.uid, user.gid) != 0) throw std::runtime_error("chown failed: " + folder.string());
    return folder;
}

/// Leaves a link to `to` where the folder was.
void move_away(const fs::path& folder, const fs::path& to) {
    fs::rename(folder, to);
    fs::create_directory_symlink(to, folder);
}

TEST(MovedParts, OfTablespacesAreInTheBackup) {
    ProtectedServer protectee;
    fs::path database, version;
    {
        auto session = protectee.session();
        for (const char* name : {"one", "two"}) {
            const auto place = make_folder(protectee, name);
            session.query(std::string("CREATE TABLESPACE ") + name + " LOCATION " + session.quote_literal(place.string()));
            session.script(std::string("CREATE TABLE in_") + name + "(id int) TABLESPACE " + name + "; INSERT INTO in_" + name +
                           " SELECT generate_series(1, 5000)");
        }
        const auto data = protectee.server().data_directory();
        database = (data / session.value("SELECT pg_relation_filepath('in_one')")).parent_path();
        version = (data / session.value("SELECT pg_relation_filepath('in_two')")).parent_path().parent_path();
    }
    protectee.server().stop();
    const auto disk = make_folder(protectee, "disk");
    move_away(database, disk / "database");
    move_away(version, disk / "version");
    protectee.server().start();

    const auto backup = protectee.howdah_json({"backup", "run"});
    EXPECT_TRUE(backup["warnings"].empty()) << backup["warnings"].dump();
    const auto into = protectee.workspace() / "restored";
    protectee.howdah_ok({"restore", "--into", into.string(), "--to-backup-end", "--tablespace",
                         "one=" + (protectee.workspace() / "new-one").string(), "--tablespace",
                         "two=" + (protectee.workspace() / "new-two").string()});
    EXPECT_EQ(fs::status(protectee.workspace() / "new-two" / version.filename()).permissions(), fs::perms::owner_all);
    auto server = protectee.start_restored(into);
    EXPECT_EQ(open_session(server).value("SELECT count(*) FROM in_one"), "5000");
    EXPECT_EQ(open_session(server).value("SELECT count(*) FROM in_two"), "5000");
    EXPECT_EQ(check_restored(server), "");
}

}  // namespace
}  // namespace howdah::tests

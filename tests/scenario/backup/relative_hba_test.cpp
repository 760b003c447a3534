// hba_file with a relative value, in a data directory beside which another configuration file lies.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/file.hpp"
#include "support/protected_server.hpp"

namespace howdah::tests {
namespace {

namespace fs = std::filesystem;

void write_as_server(ProtectedServer& protectee, const fs::path& path, const std::string& text) {
    const auto& user = protectee.server().user();
    base::write_file_durably(path, text, 0600);
    if (::geteuid() == 0) ASSERT_EQ(::chown(path.c_str(), user.uid, user.gid), 0);
}

TEST(RelativeHbaFile, InsideTheDataDirectoryIsInForceAfterARestore) {
    ProtectedServer protectee;
    const auto data = protectee.server().data_directory();
    const auto outside = protectee.workspace() / "extra.conf";
    write_as_server(protectee, outside, "work_mem = '7MB'\n");
    write_as_server(protectee, data / "my_hba.conf", "local all postgres trust\n");
    write_as_server(protectee, data / "postgresql.conf",
                    base::read_file(data / "postgresql.conf") +
                        "hba_file = 'my_hba.conf'\nlisten_addresses = ''\nunix_socket_directories = '" +
                        protectee.server().socket_directory().string() + "'\ninclude '" + outside.string() + "'\n");
    protectee.session().query("SELECT pg_reload_conf()");
    protectee.howdah_ok({"backup", "run"});
    const auto into = protectee.workspace() / "restored";
    const auto restored = protectee.howdah({"restore", "--into", into.string(), "--to-backup-end", "--start", "--port", "54328"});
    ASSERT_EQ(restored.exit_code, 0) << restored.errors;
    {
        postgres::Session session("host=" + protectee.server().socket_directory().string() + " port=54328 user=postgres dbname=postgres");
        EXPECT_EQ(session.value("SHOW hba_file"), (into / "my_hba.conf").string());
        EXPECT_EQ(session.value("SHOW work_mem"), "7MB");
    }
    protectee.server().run("pg_ctl", {"stop", "-D", into.string(), "-m", "immediate"});
    auto again = protectee.start_restored(into);
    EXPECT_EQ(open_session(again).value("SHOW work_mem"), "7MB");
}

}  // namespace
}  // namespace howdah::tests

// T15, T17: a server that was taken back to an earlier state, while the archive and the backups are of the time between.
#include "fixture.hpp"

namespace howdah::tests {
namespace {

namespace fs = std::filesystem;

/// Goes on from a copy of the stopped server's directory as a virtual machine does that is taken back to its snapshot: under the same
/// timeline, while the archive has the WAL of the time between.
class Snapshot {
public:
    explicit Snapshot(ProtectedServer& protectee) : protectee_(protectee) {
        protectee_.server().stop();
        const auto copied = protectee_.server().run("/bin/cp", {"-a", data().string(), copy().string()});
        EXPECT_EQ(copied.exit_code, 0) << copied.errors;
        protectee_.server().start();
    }
    void go_back() {
        protectee_.server().stop();
        fs::remove_all(data());
        fs::rename(copy(), data());
        protectee_.server().start();
    }

private:
    fs::path data() const { return protectee_.server().data_directory(); }
    fs::path copy() const { return protectee_.workspace() / "snapshot"; }
    ProtectedServer& protectee_;
};

/// Changes a row in each of so many segments.
void live(ProtectedServer& protectee, const std::string& word, int first_row, int segments) {
    auto session = protectee.session();
    for (int i = 0; i < segments; ++i) {
        session.query("UPDATE shop SET note = '" + word + "' WHERE id = " + std::to_string(first_row + 100 * i));
        session.query("SELECT pg_switch_wal()");
    }
}

// What changed is not told by WAL of a time that the server knows nothing of, nor is a backup of then a parent.
TEST(Trap, T17_own_past) {
    ProtectedServer protectee;
    make_shop(protectee, 5000);
    take_parent(protectee);
    Snapshot snapshot(protectee);
    live(protectee, "lost", 100, 1);
    protectee.howdah_ok({"backup", "run"});
    snapshot.go_back();
    live(protectee, "kept", 2000, 8);
    const auto taken = protectee.howdah_json({"backup", "run", "--type", "incr"})["backup"];
    EXPECT_NE(taken["fallback"], nlohmann::json::array()) << taken.dump(1);
    expect_like_server(protectee);
}

TEST(OwnPast, WalOfALostTimeIsNotBelieved) {
    ProtectedServer protectee;
    make_shop(protectee, 5000);
    take_parent(protectee);
    Snapshot snapshot(protectee);
    live(protectee, "lost", 100, 3);
    protectee.archive_everything();
    snapshot.go_back();
    live(protectee, "kept", 2000, 8);
    const auto taken = protectee.howdah_json({"backup", "run", "--type", "incr"})["backup"];
    EXPECT_NE(taken["fallback"], nlohmann::json::array()) << taken.dump(1);
    expect_like_server(protectee);
}

// While the archive holds other WAL under the names of the backup's own, there is no backup.
TEST(Trap, T15_own_wal) {
    ProtectedServer protectee;
    make_shop(protectee, 5000);
    Snapshot snapshot(protectee);
    live(protectee, "lost", 100, 5);
    protectee.archive_everything();
    snapshot.go_back();
    protectee.session().query("UPDATE shop SET note = 'kept' WHERE id = 2000");
    const auto refused = protectee.howdah({"backup", "run"});
    EXPECT_EQ(refused.exit_code, 1) << refused.output;
    EXPECT_EQ(protectee.howdah_json({"backup", "list"})["backups"].size(), 0u);
}

}  // namespace
}  // namespace howdah::tests

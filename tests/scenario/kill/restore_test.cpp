// `restore`, killed: the same command again brings a whole cluster, or finds one and leaves it alone.
#include <fmt/core.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>

#include "base/file.hpp"
#include "killing.hpp"

namespace howdah::tests {
namespace {

namespace fs = std::filesystem;
constexpr const char* kMark = "howdah-unfinished-restore";

/// Every file, folder and link below a folder with what it is: type, mode, and its bytes' hash or its target.
using Tree = std::map<std::string, std::string>;

void add_tree(Tree& tree, const fs::path& folder) {
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
        struct stat facts{};
        EXPECT_EQ(::lstat(entry.path().c_str(), &facts), 0);
        std::string what = fmt::format("{:o}", facts.st_mode);
        if (entry.is_symlink())
            what += " " + fs::read_symlink(entry.path()).string();
        else if (entry.is_regular_file())
            what += fmt::format(" {} {:x}", facts.st_size, std::hash<std::string>{}(base::read_file(entry.path(), {1u << 30})));
        tree.emplace(entry.path().string(), what);
    }
}

std::string difference(const Tree& left, const Tree& right) {
    std::string text;
    for (const auto& [name, what] : left)
        if (const auto found = right.find(name); found == right.end() || found->second != what) text += "- " + name + " " + what + "\n";
    for (const auto& [name, what] : right)
        if (const auto found = left.find(name); found == left.end() || found->second != what) text += "+ " + name + " " + what + "\n";
    return text;
}

class KilledRestore : public testing::Test {
protected:
    KilledRestore() : protectee_(options()) {
        const auto place = protectee_.workspace() / "space";
        fs::create_directory(place);
        const auto& user = protectee_.server().user();
        EXPECT_TRUE(::geteuid() != 0 || ::chown(place.c_str(), user.uid, user.gid) == 0);
        auto session = protectee_.session();
        session.query("CREATE TABLESPACE one LOCATION " + session.quote_literal(place.string()));
        // What a restored copy that is started for real listens on; the server itself has its own on the command line.
        session.query("ALTER SYSTEM SET unix_socket_directories = " + session.quote_literal(protectee_.workspace().string()));
        session.query("ALTER SYSTEM SET listen_addresses = ''");
        session.script(
            "CREATE TABLE public.shop(id serial PRIMARY KEY, note text);"
            "INSERT INTO public.shop(note) SELECT repeat('row ' || g, 20) FROM generate_series(1, 5000) g;"
            "CREATE TABLE public.far(id int) TABLESPACE one; INSERT INTO public.far SELECT generate_series(1, 2000)");
        protectee_.howdah_ok({"backup", "run"});
        session.script("INSERT INTO public.shop(note) SELECT md5(g::text) FROM generate_series(1, 500) g");
        truth_ = dump(protectee_.server(), "postgres");
        protectee_.archive_everything();
        protectee_.howdah_ok(words());
        whole_ = restored();
        remove();
    }

    ~KilledRestore() override { stop_started("immediate"); }

    static ProtectedServer::Options options() {
        ProtectedServer::Options options;
        options.scratch.wal_segment_mib = 1;
        return options;
    }

    fs::path into() const { return protectee_.workspace() / "restored"; }
    fs::path moved() const { return protectee_.workspace() / "moved"; }
    /// The timeline is named because a copy that was started for real archives one of its own.
    std::vector<std::string> words() const {
        return {"restore", "--timeline", "1", "--into", into().string(), "--tablespace", "one=" + moved().string()};
    }
    std::vector<std::string> starting() const {
        auto all = words();
        all.push_back("--start");
        return all;
    }

    void remove() const {
        fs::remove_all(into());
        fs::remove_all(moved());
    }

    Tree restored() const {
        Tree tree;
        add_tree(tree, into());
        add_tree(tree, moved());
        return tree;
    }

    /// Whether the killed run had come so far that the directory can be started.
    bool whole() const { return fs::exists(into() / "global" / "pg_control") && !fs::exists(into() / kMark); }

    void expect_right() {
        auto server = protectee_.start_restored(into());
        EXPECT_EQ(dump(server, "postgres"), truth_);
        EXPECT_EQ(check_restored(server), "");
    }

    /// After a run that may have been killed. Leaves the directory as `restore` did.
    void judge(const std::string& where) {
        SCOPED_TRACE(where);
        const bool was_whole = whole();
        const auto again = protectee_.howdah(words());
        if (was_whole) {
            EXPECT_EQ(again.exit_code, 1) << "a whole cluster is nothing to write over";
            EXPECT_NE(again.errors.find("not empty"), std::string::npos) << again.errors;
            fs::remove(moved() / kMark);
        } else {
            EXPECT_EQ(again.exit_code, 0) << again.errors;
        }
        EXPECT_EQ(difference(whole_, restored()), "");
        if (was_whole) expect_right();
    }

    /// A server started by a killed `restore --start` runs on by itself: nobody but this test ends it.
    void stop_started(const std::string& mode) {
        if (!fs::exists(into() / "postmaster.pid")) return;
        protectee_.server().run("pg_ctl", {"stop", "-w", "-m", mode, "-D", into().string()});
    }

    /// Kills a run on the way on which it passes the point: into a new directory, over an unfinished one, or with --start.
    bool kill_at(const std::string& point) {
        remove();
        if (killed_at(protectee_, point, words())) return true;
        remove();
        EXPECT_TRUE(killed_at(protectee_, "restore.scattered", words()));
        if (killed_at(protectee_, point, words())) return true;
        remove();
        if (!killed_at(protectee_, point, starting())) return false;
        wait_until("the started server has its pid file", [&] { return fs::exists(into() / "postmaster.pid"); });
        stop_started("fast");
        return true;
    }

    ProtectedServer protectee_;
    std::string truth_;
    Tree whole_;
};

TEST_F(KilledRestore, AtEveryFaultPointIsRightTheNextTime) {
    const auto points = fault_points({"restore."});
    ASSERT_GE(points.size(), 10u);
    print_points("restore", points);
    for (const auto& point : points) {
        ASSERT_TRUE(kill_at(point)) << "never reached: " << point;
        if (point == "restore.started")
            expect_right();
        else
            judge(point);
        if (HasFailure()) return;
    }
    remove();
    protectee_.howdah_ok(words());
    EXPECT_EQ(difference(whole_, restored()), "");
    expect_right();
    const auto check = protectee_.howdah_json({"repo", "check"});
    EXPECT_TRUE(check["ok"] && check["leftovers"].empty()) << check.dump(1);
    EXPECT_TRUE(protectee_.howdah_json({"journal", "verify"})["ok"]);
}

TEST_F(KilledRestore, AtMomentsOfARunIsRightTheNextTime) {
    const auto prepare = [this] {
        remove();
        return words();
    };
    kill_at_moments(protectee_, {.operation = "restore", .prepare = prepare, .judge = [this](const std::string& where) { judge(where); }});
    remove();
    protectee_.howdah_ok(words());
    EXPECT_EQ(difference(whole_, restored()), "");
    expect_right();
}

}  // namespace
}  // namespace howdah::tests

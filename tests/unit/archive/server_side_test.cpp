#include "archive/acknowledgement.hpp"
#include "archive/pg_wal.hpp"
#include "archive/setup.hpp"
#include "archive/setup_record.hpp"
#include "archive/workers.hpp"
#include "fixture.hpp"

namespace howdah::archive {
namespace {

namespace fs = std::filesystem;
using base::FailureKind;
using postgres::WalSegment;
using test::kMiB;

TEST(Acknowledgements, BindToTheFileAndNameTheRepositories) {
    const base::TemporaryDirectory folder("howdah-ack");
    const Acknowledgements promises(folder.path() / "main");
    const fs::path file = folder.path() / "segment";
    base::write_file_durably(file, "one");
    const FileStamp stamp = stamp_of(file);
    EXPECT_FALSE(promises.promise("S", stamp));
    promises.write("S", stamp, {"cluster/main/1/wal/S", {"marker", "another"}});
    ASSERT_TRUE(promises.promise("S", stamp));
    EXPECT_EQ(promises.promise("S", stamp)->object, "cluster/main/1/wal/S");
    EXPECT_EQ(promises.promise("S", stamp)->markers, (std::vector<std::string>{"marker", "another"}));
    EXPECT_FALSE(promises.promise("T", stamp));
    base::write_file_durably(file, "two");
    EXPECT_FALSE(promises.promise("S", stamp_of(file)));
    base::write_file_durably(folder.path() / "main" / "S", "torn");
    EXPECT_FALSE(promises.promise("S", stamp));
}

TEST(Acknowledgements, TheOnesOfFilesThatDoNotWaitGo) {
    const base::TemporaryDirectory folder("howdah-ack");
    const Acknowledgements promises(folder.path());
    promises.write("A", {}, {"o", {"m"}});
    promises.write("B", {}, {"o", {"m"}});
    promises.remove_except({"B", "C"});
    EXPECT_FALSE(promises.exists("A"));
    EXPECT_TRUE(promises.exists("B"));
}

class PgWalTest : public testing::Test {
protected:
    PgWalTest() {
        fs::create_directories(data_ / "global");
        base::write_file_durably(data_ / "global" / "pg_control", "x");
        fs::create_directories(data_ / "pg_wal" / "archive_status");
    }
    void put(const fs::path& file, const std::vector<std::byte>& bytes = {}) {
        base::write_file_durably(data_ / "pg_wal" / file, base::as_text(bytes));
    }
    base::TemporaryDirectory folder_{"howdah-pgwal"};
    fs::path data_ = folder_.path() / "data";
};

TEST_F(PgWalTest, FindsTheDataDirectoryAlsoThroughALink) {
    EXPECT_EQ(data_directory_of(data_ / "pg_wal" / "000000010000000000000001"), data_);
    fs::rename(data_ / "pg_wal", folder_.path() / "wal");
    fs::create_directory_symlink(folder_.path() / "wal", data_ / "pg_wal");
    EXPECT_EQ(data_directory_of(data_ / "pg_wal" / "000000010000000000000001"), data_);
    EXPECT_EQ(test::failure_of([&] { data_directory_of(folder_.path() / "wal" / "000000010000000000000001"); }),
              FailureKind::configuration);
}

TEST_F(PgWalTest, HistoriesWaitFirst) {
    for (const char* mark :
         {"000000020000000000000007.ready", "000000010000000000000006.ready", "00000002.history.ready", "000000010000000000000005.done"})
        put(fs::path("archive_status") / mark);
    EXPECT_EQ(ready_files(data_), (std::vector<std::string>{"00000002.history", "000000010000000000000006", "000000020000000000000007"}));
}

TEST_F(PgWalTest, ASegmentIsCompleteWhenMarkedOrWhenTheNextWasBegun) {
    const WalSegment segment{{1}, 5};
    EXPECT_FALSE(segment_complete(data_, segment, kMiB));
    put(segment.name(kMiB), test::make_segment(segment));
    EXPECT_FALSE(segment_complete(data_, segment, kMiB));
    put(segment.next().name(kMiB), test::make_segment({{1}, 2}));  // Recycled: the name is new, the bytes are old.
    EXPECT_FALSE(segment_complete(data_, segment, kMiB));
    put(segment.next().name(kMiB), test::make_segment(segment.next()));
    EXPECT_TRUE(segment_complete(data_, segment, kMiB));
    EXPECT_FALSE(segment_complete(data_, segment.next(), kMiB));
    put(fs::path("archive_status") / (segment.next().name(kMiB) + ".ready"));
    EXPECT_TRUE(segment_complete(data_, segment.next(), kMiB));
}

TEST_F(PgWalTest, AWatchWakesOnAChange) {
    FolderWatch watch(data_ / "pg_wal" / "archive_status");
    put("archive_status/x.ready");
    const auto start = std::chrono::steady_clock::now();
    watch.wait(std::chrono::seconds(60), {});
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(30));
}

TEST(Setup, TheCommandIsQuotedForTheShellAndForPostgres) {
    EXPECT_EQ(archive_command({"/usr/bin/howdah", "/etc/howdah/howdah.toml", "main", false}),
              "/usr/bin/howdah --config /etc/howdah/howdah.toml --cluster main wal push \"%p\"");
    const std::string odd = archive_command({"/opt/my tools/100%/howdah", {}, "it's", false});
    EXPECT_NE(odd.find("100%%"), std::string::npos);
    EXPECT_NE(odd.find("'/opt/my tools"), std::string::npos);
    EXPECT_TRUE(odd.ends_with(" wal push \"%p\""));
}

TEST(Setup, TheRecordSurvivesWriting) {
    const base::TemporaryDirectory folder("howdah-setup");
    const fs::path path = setup_record_path(folder.path(), "main");
    EXPECT_FALSE(read_setup_record(path));
    SetupRecord record{{7}, {}};
    record.settings["archive_command"] = {"cp 'a' \"%p\"", "cp 'a' \"%p\"", "new", false};
    record.settings["archive_mode"] = {"off", std::nullopt, "on", false};
    record.settings["archive_library"] = {"x", "x", "", true};
    record.settings["restore_command"] = {"cp /m\xfcnster/%f", "\xff", "\x80\xc3", false};
    write_setup_record(path, record);
    const auto read = read_setup_record(path);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->system.value, 7u);
    EXPECT_EQ(read->settings.at("archive_command").written, "cp 'a' \"%p\"");
    EXPECT_EQ(read->settings.at("archive_mode").written, std::nullopt);
    EXPECT_EQ(read->settings.at("archive_mode").given, "on");
    EXPECT_TRUE(read->settings.at("archive_library").given_reset);
    EXPECT_EQ(read->settings.at("restore_command").in_force, "cp /m\xfcnster/%f");
    EXPECT_EQ(read->settings.at("restore_command").written, "\xff");
    EXPECT_EQ(read->settings.at("restore_command").given, "\x80\xc3");
    base::write_file_durably(path,
                             R"({"system_identifier": 7, "settings": {"a": {"in_force": {"hex": "0x"}, "written": null, "given": ""}}})");
    EXPECT_EQ(test::failure_of([&] { read_setup_record(path); }), FailureKind::operation);
    base::write_file_durably(path, "{");
    EXPECT_EQ(test::failure_of([&] { read_setup_record(path); }), FailureKind::operation);
}

TEST(Workers, StayWithinMemoryAndTasks) {
    EXPECT_EQ(worker_count(8, 3, 16 * kMiB), 3u);
    EXPECT_EQ(worker_count(8, 100, 1024 * kMiB), 1u);
    EXPECT_EQ(worker_count(8, 100, 64 * kMiB), 8u);
    EXPECT_EQ(worker_count(2, 0, 16 * kMiB), 1u);
    EXPECT_GE(worker_count(0, 100, 16 * kMiB), 1u);
}

}  // namespace
}  // namespace howdah::archive

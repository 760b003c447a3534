// backup verify --full and --sample on a real cluster's repository.
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "archive/wal_archive.hpp"
#include "base/file.hpp"
#include "repository/object.hpp"
#include "support/protected_server.hpp"

namespace howdah::tests {
namespace {

class VerifyCommand : public testing::Test {
protected:
    VerifyCommand() {
        protectee.session().script(
            "CREATE TABLE shop(id int PRIMARY KEY, note text);"
            "INSERT INTO shop SELECT g, repeat('row ' || g, 20) FROM generate_series(1, 20000) g");
        protectee.howdah_ok({"backup", "run"});
        auto session = protectee.session();
        for (const char* statement : {"CREATE DATABASE more", "DELETE FROM shop WHERE id % 3 = 0", "VACUUM shop"})
            session.script(statement);
        protectee.howdah_ok({"backup", "run", "--type", "incr"});
        protectee.archive_everything();
    }
    ProtectedServer protectee;
};

TEST_F(VerifyCommand, FullLooksIntoEverythingAndFindsNothingInAGoodRepository) {
    const auto result = protectee.howdah_json({"backup", "verify", "--full"});
    EXPECT_TRUE(result["ok"]);
    const auto& looked = result["looked_into"];
    EXPECT_EQ(looked["frames"], looked["frames_total"]);
    EXPECT_EQ(looked["bytes"], looked["bytes_total"]);
    EXPECT_TRUE(looked["sample"].is_null());
    EXPECT_EQ(looked["backups_without_checksums"], 0);
    EXPECT_GT(looked["pages"], 4000);
    EXPECT_TRUE(protectee.howdah_json({"backup", "verify"})["looked_into"].is_null());
}

TEST_F(VerifyCommand, ASampleSaysWhatItLookedAtAndCanBeRepeated) {
    const auto first = protectee.howdah_json({"backup", "verify", "--sample", "20%"});
    EXPECT_TRUE(first["ok"]);
    const auto& looked = first["looked_into"];
    EXPECT_LT(looked["frames"], looked["frames_total"]);
    EXPECT_EQ(looked["sample"]["percent"], 20.0);
    const auto seed = std::to_string(looked["sample"]["seed"].get<std::uint32_t>());
    const auto second = protectee.howdah_json({"backup", "verify", "--sample", "20", "--seed", seed});
    EXPECT_EQ(second["looked_into"]["frames"], looked["frames"]);
    const auto text = protectee.howdah({"backup", "verify", "--sample", "20", "--seed", seed});
    EXPECT_NE(text.output.find("--seed " + seed + " takes the same frames again"), std::string::npos) << text.output;
    for (const std::vector<std::string>& wrong : std::vector<std::vector<std::string>>{{"--sample", "0"},
                                                                                       {"--sample", "101%"},
                                                                                       {"--sample", "some"},
                                                                                       {"--sample", ""},
                                                                                       {"--sample", "nan"},
                                                                                       {"--sample", "5", "--full"},
                                                                                       {"--seed", "5"}}) {
        std::vector<std::string> words{"backup", "verify"};
        words.insert(words.end(), wrong.begin(), wrong.end());
        const auto refused = protectee.howdah(words);
        EXPECT_EQ(refused.exit_code, 2) << wrong[0] << " " << wrong.back();
        EXPECT_NE(refused.errors.find("HINT"), std::string::npos);
    }
}

/// Sealed with the right key by a program at fault: only a walk over the records tells.
TEST_F(VerifyCommand, ATrailerThatItsSegmentDoesNotBearOutIsFound) {
    auto config = protectee.config().repositories.begin()->second;
    const auto repository = repository::Repository::open(config);
    const auto area = repository.areas().at(0);
    const archive::WalArchive wal(repository, area);
    const auto name = wal.segments().front();
    repository::SealContext context;
    const auto bytes = wal.get(name, context).value();
    auto trailer = wal.trailer(name).value();
    ++trailer.records;
    std::filesystem::remove(protectee.repository() / area.wal(name));
    repository::ObjectWriter writer(repository.store(), repository.key(), context, repository::Kind::wal, area.wal(name));
    for (std::size_t at = 0; at < bytes.size(); at += repository::kFrameBytes)
        writer.add_frame(std::span(bytes).subspan(at, std::min(repository::kFrameBytes, bytes.size() - at)));
    writer.add_frame(base::as_bytes(repository::encode_wal_trailer(trailer)), repository::FrameClass::trailer);
    writer.commit();
    std::filesystem::permissions(protectee.repository() / area.wal(name), std::filesystem::perms::all);
    EXPECT_TRUE(protectee.howdah_json({"backup", "verify"})["ok"]);
    const auto result = protectee.howdah_json({"backup", "verify", "--full"}, 1);
    ASSERT_EQ(result["damage"].size(), 1u) << result.dump();
    EXPECT_EQ(result["damage"][0]["object"], area.wal(name));
    EXPECT_NE(result["damage"][0]["what"].get<std::string>().find("its number of records is"), std::string::npos);
}

}  // namespace
}  // namespace howdah::tests

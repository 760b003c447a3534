// Damaged links of the ledger or of a lease stop backups until `repo repair`, which the error names.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/file.hpp"
#include "support/protected_server.hpp"

namespace howdah::tests {
namespace {

namespace fs = std::filesystem;

class Repair : public testing::Test {
protected:
    Repair() { protectee.howdah_ok({"backup", "run", "--type", "full"}); }

    /// The newest link below a folder of the repository, cut in its middle an hour ago.
    std::string damage(const fs::path& folder) {
        std::vector<fs::path> links;
        for (const auto& entry : fs::directory_iterator(folder)) links.push_back(entry.path());
        const fs::path newest = *std::ranges::max_element(links);
        const auto owner = base::owner_of(newest);
        const std::string bytes = base::read_file(newest);
        fs::remove(newest);
        base::write_file_durably(newest, bytes.substr(0, bytes.size() / 2), 0400);
        EXPECT_EQ(::chown(newest.c_str(), owner.uid, owner.gid), 0);
        fs::last_write_time(newest, fs::file_time_type::clock::now() - std::chrono::hours(1));
        return fs::relative(newest, protectee.repository()).native();
    }
    void repair_after(const std::string& object, const std::vector<std::string>& stopped) {
        const auto refused = protectee.howdah(stopped);
        EXPECT_EQ(refused.exit_code, 1) << refused.output << refused.errors;
        EXPECT_NE(refused.errors.find(object), std::string::npos) << refused.errors;
        EXPECT_NE(refused.errors.find("howdah repo repair"), std::string::npos) << refused.errors;
        EXPECT_FALSE(protectee.howdah_json({"backup", "verify"}, 1)["ok"]);

        const auto repaired = protectee.howdah_json({"repo", "repair"});
        ASSERT_EQ(repaired["given_up"].size(), 1u) << repaired.dump(1);
        EXPECT_EQ(repaired["given_up"][0]["object"], object);
        const auto journal = protectee.howdah_json({"journal", "list"});
        EXPECT_NE(journal.dump().find("gave up " + object), std::string::npos) << journal.dump(1);
        protectee.howdah_ok(stopped);
        EXPECT_TRUE(protectee.howdah_json({"backup", "verify"})["ok"]);
        EXPECT_TRUE(protectee.howdah_json({"repo", "check"})["ok"]);
        EXPECT_TRUE(protectee.howdah_json({"repo", "repair"})["given_up"].empty());
    }
    fs::path area() const {
        const fs::path cluster = protectee.repository() / "cluster" / "main";
        return fs::directory_iterator(cluster)->path();
    }

    ProtectedServer protectee;
};

TEST_F(Repair, OfTheNewestLedgerEntryAndTheNewestLeaseLink) {
    repair_after(damage(protectee.repository() / "ledger"), {"repo", "gc"});
    repair_after(damage(area() / "lease"), {"backup", "run", "--type", "full"});
}

}  // namespace
}  // namespace howdah::tests

#include "base/suggest.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace howdah::base {
namespace {

const std::vector<std::string> kWords = {"conninfo", "data_directory", "url"};

TEST(Suggest, FindsTheNearestWord) {
    EXPECT_EQ(closest("conninf", kWords), "conninfo");
    EXPECT_EQ(closest("coninnfo", kWords), "conninfo");
    EXPECT_EQ(closest("DATA_DIRECTORY", kWords), "data_directory");
    EXPECT_EQ(closest("ulr", kWords), "url");
    EXPECT_EQ(did_you_mean("datadirectory", kWords), "did you mean data_directory?");
}

TEST(Suggest, DoesNotGuessFarOff) {
    EXPECT_EQ(closest("passphrase", kWords), "");
    EXPECT_EQ(closest("", kWords), "");
    EXPECT_EQ(did_you_mean("xyz", kWords), "");
    EXPECT_EQ(closest("url", {}), "");
}

}  // namespace
}  // namespace howdah::base

// Wrong use of the command line: exit 2, what was wrong is named, and the hint leads on.
#include <gtest/gtest.h>

#include "ground.hpp"

namespace howdah::tests {
namespace {

TEST(Usage, AnEmptyValueIsNeverTakenForNone) {
    for (const auto& words : std::vector<std::vector<std::string>>{{"restore", "--into", "/tmp/x", "--to-time", ""},
                                                                   {"restore", "--into", "/tmp/x", "--to-lsn", ""},
                                                                   {"restore", "--into", "/tmp/x", "--backup="},
                                                                   {"restore", "--to-time=", "--latest", "--into", "/tmp/x"},
                                                                   {"restore", "--into", ""},
                                                                   {"restore", "--into", "/tmp/x", "--tablespace", ""},
                                                                   {"backup", "list", "--cluster", ""},
                                                                   {"--config", "", "backup", "list"},
                                                                   {"--config=", "backup", "list"},
                                                                   {"backup", "list", "--repository", ""},
                                                                   {"backup", "show", ""},
                                                                   {"journal", "list", "--operation", ""},
                                                                   {"sample", "load", "--conninfo", ""},
                                                                   {"scratch", "stop", ""}})
        expect_answer(run_bare(words), 2, {"empty value", "HINT"});
    expect_answer(run_bare({"wal", "fetch", "", "x"}), 126, {"empty value"});
    expect_answer(run_bare({"wal", "fetch", "000000010000000000000001", "x", "--wait", ""}), 126, {"--wait"});
}

TEST(Usage, TheUnknownWordIsNamed) {
    expect_answer(run_bare({"bakcup", "list"}), 2, {"unknown area: bakcup", "did you mean backup?"});
    expect_answer(run_bare({"backup", "runn"}), 2,
                  {"unknown verb of `howdah backup`: runn", "did you mean run?", "see `howdah backup --help`"});
    expect_answer(run_bare({"backup", "delete", "ID"}), 2,
                  {"unknown verb of `howdah backup`: delete", "there are run, list, show, status, verify", "see `howdah backup --help`"});
    expect_answer(run_bare({"restore", "--in", "X"}), 2, {"unknown option of `howdah restore`: --in", "did you mean --into?"});
    expect_answer(run_bare({"restore", "into=X"}), 2, {"unexpected word for `howdah restore`: into=X", "did you mean --into X?"});
    expect_answer(run_bare({"restore"}), 2, {"--into is required", "see `howdah restore --help`"});
    expect_answer(run_bare({"backup", "show", "one", "two"}), 2, {"unexpected word for `howdah backup show`: two"});
    expect_answer(run_bare({"backup"}), 2, {"no verb was given for `howdah backup`", "there are run, list"});
    expect_answer(run_bare({}), 2, {"no area was given"});
    expect_answer(run_bare({"--output", "json", "backup", "list", "--cluster"}), 2, {"--cluster", "see `howdah backup list --help`"});
    expect_answer(run_bare({"backup", "list", "--output", "xml"}), 2, {"text, json or nagios", "xml"});
    expect_answer(run_bare({"backup", "list", "--output", "1"}), 2, {"text, json or nagios"});
}

}  // namespace
}  // namespace howdah::tests

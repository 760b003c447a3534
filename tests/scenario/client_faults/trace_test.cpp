// The monitor finds a backend by what a login that was given up knows of it, and no other.
#include <gtest/gtest.h>
#include <libpq-fe.h>
#include <poll.h>

#include "client/endpoint/monitor.hpp"
#include "ground.hpp"

namespace howdah::tests {
namespace {

using std::chrono::seconds;
using std::chrono::steady_clock;

postgres::ScratchServer& server() {
    static postgres::ScratchServer only([] {
        postgres::ScratchOptions options;
        options.settings = {{"fsync", "off"}};
        options.checksums = false;
        options.listen_tcp = true;
        return options;
    }());
    return only;
}

/// A session that nobody uses, and what its login knew of it.
struct Left {
    explicit Left(const std::string& conninfo) {
        const auto begun = steady_clock::now();
        handle.reset(PQconnectdb(conninfo.c_str()));
        EXPECT_EQ(PQstatus(handle.get()), CONNECTION_OK) << PQerrorMessage(handle.get());
        trace = trace_of(handle.get());
        trace.begun = begun;
        trace.known = steady_clock::now();
    }
    bool alive() { return PQresultStatus(ResultHandle(PQexec(handle.get(), "SELECT 1")).get()) == PGRES_TUPLES_OK; }

    Handle handle;
    Trace trace;
};

class Traces : public ::testing::TestWithParam<bool> {
protected:
    Traces() : endpoint_("traces", {}, {}, steady_clock::now()), monitor_(endpoint_, plan(), {}, seconds(5)) {
        EXPECT_TRUE(go_on([this] { return monitor_.well(); }));
    }
    ~Traces() override { monitor_.close(); }

    static std::string conninfo() { return GetParam() ? server().tcp_conninfo() : server().conninfo(); }
    static DialPlan plan() {
        DialPlan plan;
        plan.options.conninfo = conninfo();
        return plan;
    }
    bool go_on(const std::function<bool()>& until) {
        const auto limit = steady_clock::now() + seconds(30);
        while (!until()) {
            if (steady_clock::now() > limit) return false;
            const Need need = monitor_.advance(steady_clock::now());
            pollfd watched{need.descriptor, need.events, 0};
            if (!until()) ::poll(&watched, 1, 10);
        }
        return true;
    }
    Inquiry::Answer ask(Inquiry::About about, const Trace& trace) {
        const auto inquiry = std::make_shared<Inquiry>(about, trace);
        monitor_.ask(inquiry);
        EXPECT_TRUE(go_on([&] { return inquiry->told().answer != Inquiry::Answer::waiting; }));
        return inquiry->told().answer;
    }
    /// Not there, and so nothing that is terminated.
    void expect_not_found(const Trace& trace) {
        EXPECT_EQ(ask(Inquiry::About::is_gone, trace), Inquiry::Answer::yes);
        EXPECT_EQ(ask(Inquiry::About::terminate, trace), Inquiry::Answer::no);
    }
    void expect_found_and_ended(Left& left, const Trace& trace) {
        EXPECT_EQ(ask(Inquiry::About::is_gone, trace), Inquiry::Answer::no);
        EXPECT_TRUE(left.alive());
        EXPECT_EQ(ask(Inquiry::About::terminate, trace), Inquiry::Answer::yes);
        EXPECT_TRUE(eventually([&] { return ask(Inquiry::About::is_gone, trace) == Inquiry::Answer::yes; }));
        EXPECT_FALSE(left.alive());
    }

    Endpoint endpoint_;
    Monitor monitor_;
};

TEST_P(Traces, LeadToTheBackendByItsNumberAndAge) {
    Left left(conninfo());
    Trace older = left.trace;
    older.known -= seconds(10);
    expect_not_found(older);
    Trace younger = left.trace;
    younger.begun += seconds(10);
    younger.known += seconds(10);
    expect_not_found(younger);
    EXPECT_TRUE(left.alive());
    expect_found_and_ended(left, left.trace);
}

TEST_P(Traces, LeadToTheBackendByItsLink) {
    Left left(conninfo());
    Trace nameless = left.trace;
    nameless.pid = 0;
    if (!GetParam()) {
        EXPECT_FALSE(nameless.leads_somewhere()) << "a socket folder's links have no ends";
        EXPECT_EQ(ask(Inquiry::About::terminate, nameless), Inquiry::Answer::lost);
        return;
    }
    Trace other_link = nameless;
    ++other_link.port;
    expect_not_found(other_link);
    EXPECT_TRUE(left.alive());
    expect_found_and_ended(left, nameless);
}

TEST_P(Traces, LeadNowhereOnAnotherServerOrInAnotherRole) {
    Left left(conninfo());
    Trace elsewhere = left.trace;
    elsewhere.peer += "elsewhere";
    EXPECT_EQ(ask(Inquiry::About::terminate, elsewhere), Inquiry::Answer::lost);
    ResultHandle(PQexec(left.handle.get(), "DROP ROLE IF EXISTS another; CREATE ROLE another LOGIN PASSWORD 'of another'"));
    Left foreign(server().conninfo() + " user=another");
    foreign.trace.peer = left.trace.peer;
    expect_not_found(foreign.trace);
    EXPECT_TRUE(left.alive());
    EXPECT_TRUE(foreign.alive());
}

INSTANTIATE_TEST_SUITE_P(BySocketAndTcp, Traces, ::testing::Bool(),
                         [](const auto& each) { return each.param ? std::string("Tcp") : std::string("Socket"); });

}  // namespace
}  // namespace howdah::tests

#include "client/answer_text.hpp"

#include <libpq-fe.h>

#include <utility>

#include "client/conninfo.hpp"
#include "client/server_message.hpp"

namespace howdah::inline v0 {

std::string text_of(const char* text) { return text != nullptr ? text : ""; }

Error refusal(const pg_result* result, const std::string& endpoint) {
    const auto field = [&](int code) { return text_of(PQresultErrorField(result, code)); };
    std::string message = field(PG_DIAG_MESSAGE_PRIMARY);
    const SqlState sqlstate(field(PG_DIAG_SQLSTATE));
    if (message.empty()) message = one_line(text_of(PQresultErrorMessage(result)));
    const Cause cause = sqlstate.empty() ? Cause::broken : Cause::refused;
    return Error(Phase::receive, cause, {std::move(message), field(PG_DIAG_MESSAGE_DETAIL), field(PG_DIAG_MESSAGE_HINT), endpoint},
                 sqlstate);
}

std::string describe(const pg_conn* handle) {
    const std::string host = text_of(PQhost(handle));
    const std::string address = text_of(PQhostaddr(handle));
    std::string text = (is_socket_folder(host) ? "socket folder " : "host ") + host;
    if (!address.empty() && address != host) text += " (" + address + ")";
    return text + ", port " + text_of(PQport(handle));
}

}  // namespace howdah::inline v0

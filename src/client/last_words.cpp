#include "client/last_words.hpp"

#include <libpq-fe.h>

#include <memory>

#include "client/answer_text.hpp"

namespace howdah::inline v0 {

std::optional<Error> last_words(pg_conn* handle, const std::string& endpoint) {
    std::optional<Error> said;
    // In a pipeline "nothing" ends one statement; twice in a row it is all. The bound is for a libpq that never comes to an end.
    int nothing = 0;
    for (int left = 32; left > 0 && nothing < 2 && PQisBusy(handle) == 0; --left) {
        const std::unique_ptr<PGresult, decltype(&PQclear)> result(PQgetResult(handle), &PQclear);
        if (!result) {
            ++nothing;
            continue;
        }
        nothing = 0;
        const auto status = PQresultStatus(result.get());
        if (!said && (status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE)) said = refusal(result.get(), endpoint);
        if (status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH) break;
    }
    return said;
}

}  // namespace howdah::inline v0

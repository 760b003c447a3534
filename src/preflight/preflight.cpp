#include "preflight/preflight.hpp"

#include "preflight/activity.hpp"
#include "preflight/archiving.hpp"
#include "preflight/clock.hpp"
#include "preflight/disk.hpp"
#include "preflight/looker.hpp"
#include "preflight/replication.hpp"
#include "preflight/repository.hpp"
#include "preflight/security.hpp"
#include "preflight/server.hpp"
#include "preflight/settings.hpp"
#include "preflight/vacuum.hpp"

namespace howdah::preflight {

Findings check(const Options& options) {
    Looker looker(options);
    for (const auto look_at : {look_at_server, look_at_settings, look_at_archiving, look_at_repository, look_at_disk, look_at_activity,
                               look_at_vacuum, look_at_replication, look_at_security, look_at_clocks}) {
        options.cancellation.check("check");
        look_at(looker);
    }
    return looker.take();
}

}  // namespace howdah::preflight

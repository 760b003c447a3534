#include "client/dial.hpp"

#include <fcntl.h>
#include <libpq-fe.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>

#include "client/server_message.hpp"

namespace howdah::inline v0 {

namespace {

using std::chrono::steady_clock;

/// A value inside libpq's `options`: blanks and backslashes are escaped there.
std::string escaped(const std::string& value) {
    std::string text;
    for (const char c : value) {
        if (c == ' ' || c == '\\') text += '\\';
        text += c;
    }
    return text;
}

bool before_login(ConnStatusType status) {
    return status == CONNECTION_STARTED || status == CONNECTION_NEEDED || status == CONNECTION_MADE || status == CONNECTION_SSL_STARTUP ||
           status == CONNECTION_GSS_STARTUP;
}

std::string_view reason(Cause cause, Phase phase) {
    if (cause == Cause::cancelled) return "stopped";
    switch (phase) {
        case Phase::resolve: return "the name server did not answer in time";
        case Phase::connect: return "no answer in time";
        default: return "the server accepted the connection but did not answer in time";
    }
}

}  // namespace

void CloseHandle::operator()(pg_conn* handle) const noexcept { PQfinish(handle); }

Trace trace_of(pg_conn* handle) {
    Trace trace;
    const int descriptor = PQsocket(handle);
    sockaddr_storage end{};
    auto* const generic = reinterpret_cast<sockaddr*>(&end);
    socklen_t size = sizeof end;
    if (::getpeername(descriptor, generic, &size) == 0) trace.peer.assign(reinterpret_cast<const char*>(&end), size);
    size = sizeof end;
    std::array<char, NI_MAXHOST> address{};
    std::array<char, NI_MAXSERV> port{};
    if (::getsockname(descriptor, generic, &size) == 0 && end.ss_family != AF_UNIX &&
        ::getnameinfo(generic, size, address.data(), address.size(), port.data(), port.size(), NI_NUMERICHOST | NI_NUMERICSERV) == 0) {
        trace.address = address.data();
        // The interface is this host's affair.
        trace.address.resize(std::min(trace.address.find('%'), trace.address.size()));
        trace.port = std::atoi(port.data());
    }
    trace.pid = PQbackendPID(handle);
    return trace;
}

Remains::Remains(Trace trace, int descriptor) : trace_(std::move(trace)), descriptor_(descriptor) {
    // libpq says goodbye only after a login, and while this descriptor is open the server would not see the link end.
    if (descriptor_ >= 0) ::shutdown(descriptor_, SHUT_WR);
}

Remains::Remains(Remains&& other) noexcept : trace_(std::move(other.trace_)), descriptor_(other.take_descriptor()) {}

Remains::~Remains() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

Dial::Dial(DialOptions options, Deadline deadline) : options_(std::move(options)), deadline_(deadline) {
    auto read = read_conninfo(options_.conninfo, options_.overrides);
    if (!read) {
        errors_.push_back(read.error());
        state_ = State::done;
        return;
    }
    conninfo_ = std::move(*read);
    const bool two_rounds = conninfo_.target_session_attrs == "prefer-standby";
    last_round_ = !two_rounds;
    begin_round(two_rounds ? "standby" : conninfo_.target_session_attrs);
}

void Dial::begin_round(const std::string& attributes) {
    attributes_ = attributes;
    host_ = 0;
    state_ = State::host;
}

std::optional<Need> Dial::advance() {
    while (state_ != State::done) {
        const auto now = steady_clock::now();
        if (now >= deadline_) {
            abandon(Cause::timed_out);
            break;
        }
        if (auto need = step(now)) return need;
    }
    return std::nullopt;
}

std::optional<Need> Dial::step(Deadline now) {
    switch (state_) {
        case State::host: next_host(now); return std::nullopt;
        case State::lookup: return await_lookup(now);
        case State::address: next_address(now); return std::nullopt;
        case State::polling: return poll_server(now);
        case State::done: return std::nullopt;
    }
    return std::nullopt;
}

Deadline Dial::share(Deadline now, Deadline until, std::size_t parts) const {
    if (until == kNoDeadline) return until;
    return now + (until - now) / static_cast<long>(std::max<std::size_t>(parts, 1));
}

void Dial::next_host(Deadline now) {
    if (host_ == conninfo_.hosts.size()) {
        if (last_round_) return finish();
        last_round_ = true;
        return begin_round("any");
    }
    const HostEntry& entry = conninfo_.hosts[host_];
    host_until_ = share(now, deadline_, conninfo_.hosts.size() - host_);
    address_ = 0;
    addresses_.clear();
    phase_ = Phase::resolve;
    if (!entry.address.empty()) {
        addresses_.push_back(entry.address);
    } else if (is_socket_folder(entry.host)) {
        addresses_.emplace_back();
    } else if (is_numeric_address(entry.host)) {
        addresses_.push_back(entry.host);
    } else {
        lookup_.emplace(options_.resolver, entry.host);
        state_ = State::lookup;
        return;
    }
    state_ = State::address;
}

std::optional<Need> Dial::await_lookup(Deadline now) {
    auto answer = lookup_->answer();
    if (!answer && now < host_until_) return Need{lookup_->descriptor(), POLLIN, host_until_};
    lookup_.reset();
    if (answer && !answer->list.empty()) {
        addresses_ = std::move(answer->list);
        state_ = State::address;
        return std::nullopt;
    }
    const Cause cause = answer ? Cause::refused : Cause::timed_out;
    std::string message = answer ? answer->failure : std::string(reason(cause, Phase::resolve));
    attempt_failed(Error(Phase::resolve, cause, {std::move(message), {}, {}, endpoint()}));
    return std::nullopt;
}

void Dial::next_address(Deadline now) {
    if (address_ == addresses_.size()) {
        ++host_;
        state_ = State::host;
        return;
    }
    address_until_ = share(now, host_until_, addresses_.size() - address_);
    if (conninfo_.connect_timeout) address_until_ = std::min(address_until_, now + *conninfo_.connect_timeout);

    std::vector<const char*> keywords{"dbname"};
    std::vector<const char*> values{options_.conninfo.c_str()};
    const auto add = [&](const char* keyword, const std::string& value) {
        keywords.push_back(keyword);
        values.push_back(value.c_str());
    };
    for (const auto& [keyword, value] : options_.overrides) add(keyword.c_str(), value);
    std::string settings = conninfo_.options;
    for (const auto& [name, value] : options_.settings) settings += " -c " + name + "=" + escaped(value);
    if (!options_.settings.empty()) add("options", settings);
    const HostEntry& entry = conninfo_.hosts[host_];
    const std::string& address = addresses_[address_];
    // An empty value overrides nothing in libpq, so the address stands in for a host that was not named.
    add("host", entry.host.empty() ? address : entry.host);
    add("hostaddr", address);
    add("port", entry.port);
    add("target_session_attrs", attributes_);
    keywords.push_back(nullptr);
    values.push_back(nullptr);

    phase_ = Phase::connect;
    attempt_begun_ = now;
    login_.reset();
    handle_.reset(PQconnectStartParams(keywords.data(), values.data(), 1));
    state_ = State::polling;
    events_ = POLLOUT;
    if (!handle_ || PQstatus(handle_.get()) == CONNECTION_BAD) return connection_failed();
    PQsetErrorVerbosity(handle_.get(), PQERRORS_VERBOSE);
    PQsetNoticeProcessor(handle_.get(), [](void*, const char*) {}, nullptr);
}

std::optional<Need> Dial::poll_server(Deadline now) {
    const int descriptor = PQsocket(handle_.get());
    if (!ready_now(descriptor, events_)) {
        if (now < address_until_) return Need{descriptor, events_, address_until_};
        attempt_failed(Error(phase_, Cause::timed_out, {std::string(reason(Cause::timed_out, phase_)), {}, {}, endpoint()}));
        return std::nullopt;
    }
    const PostgresPollingStatusType next = PQconnectPoll(handle_.get());
    if (next == PGRES_POLLING_FAILED) {
        connection_failed();
        return std::nullopt;
    }
    if (next == PGRES_POLLING_OK) {
        PQsetErrorVerbosity(handle_.get(), PQERRORS_DEFAULT);
        PQsetnonblocking(handle_.get(), 1);
        state_ = State::done;
        return std::nullopt;
    }
    events_ = next == PGRES_POLLING_READING ? POLLIN : POLLOUT;
    if (phase_ == Phase::connect && !before_login(PQstatus(handle_.get()))) {
        phase_ = Phase::authenticate;
        login_ = trace_of(handle_.get());
        login_->begun = attempt_begun_;
    }
    return std::nullopt;
}

void Dial::connection_failed() {
    DialMessage message = handle_ ? read_dial_message(PQerrorMessage(handle_.get())) : DialMessage{{}, {"out of memory", {}, {}, {}}};
    message.text.endpoint = endpoint();
    const bool refused = !message.sqlstate.empty() || (handle_ && PQconnectionNeedsPassword(handle_.get()) != 0);
    // A refusal may overtake the notice that the phase changed.
    if (refused) phase_ = Phase::authenticate;
    const bool final = refused && !(message.sqlstate == "57P03");
    end_attempt(refused);
    attempt_failed(Error(phase_, refused ? Cause::refused : Cause::broken, std::move(message.text), message.sqlstate));
    if (final) finish();
}

void Dial::end_attempt(bool refused) {
    auto login = std::exchange(login_, std::nullopt);
    if (!login || refused) return handle_.reset();
    login->known = steady_clock::now();
    const int socket = PQsocket(handle_.get());
    const int second = socket < 0 ? -1 : ::fcntl(socket, F_DUPFD_CLOEXEC, 0);
    handle_.reset();
    remains_.emplace_back(std::move(*login), second);
}

void Dial::attempt_failed(Error error) {
    end_attempt(false);
    errors_.push_back(std::move(error));
    if (state_ == State::lookup) {
        ++host_;
        state_ = State::host;
    } else {
        ++address_;
        state_ = State::address;
    }
}

void Dial::abandon(Cause cause) {
    if (state_ == State::done) return;
    if (phase_ == Phase::configure) phase_ = Phase::resolve;
    errors_.push_back(Error(phase_, cause, {std::string(reason(cause, phase_)), {}, {}, endpoint()}));
    end_attempt(false);
    lookup_.reset();
    finish();
}

void Dial::finish() {
    state_ = State::done;
    if (errors_.size() < 2) return;
    // The last failure decides what the call was about; the earlier ones are told with it.
    const Error last = errors_.back();
    ErrorText text{{}, last.detail(), last.hint(), last.endpoint()};
    for (const Error& error : errors_) {
        std::string part = error.endpoint() == last.endpoint() ? error.message() : error.endpoint() + ": " + error.message();
        if (text.message.find(part) != std::string::npos) continue;
        if (!text.message.empty()) text.message += "; ";
        text.message += part;
    }
    errors_.assign(1, Error(last.phase(), last.cause(), std::move(text), last.sqlstate()));
}

Result<Handle> Dial::take() {
    if (handle_) return std::move(handle_);
    return errors_.back();
}

std::string Dial::endpoint() const {
    if (host_ >= conninfo_.hosts.size()) return {};
    const HostEntry& entry = conninfo_.hosts[host_];
    std::string text =
        is_socket_folder(entry.host) ? "socket folder " + entry.host : "host " + (entry.host.empty() ? entry.address : entry.host);
    if (address_ < addresses_.size() && !addresses_[address_].empty() && addresses_[address_] != entry.host)
        text += " (" + addresses_[address_] + ")";
    if (!entry.port.empty()) text += ", port " + entry.port;
    return text;
}

}  // namespace howdah::inline v0

// relygate.handle_request: one HTTP request, whose token the shim has verified, from its raw target to its answer. The
// order of the steps is that of the answers (docs/api): route 404 and 405, type 415, session 401, permission 403,
// suspended tenant 423, members 400, Idempotency-Key 409 and 422, then what the function says. One internal
// subtransaction holds the call: a refusal rolls it back and is an answer like any other, so the log stays quiet and
// nothing is half-written.
#include "core/route/media_type.hpp"
#include "pg/api/answer.hpp"
#include "pg/api/binder.hpp"
#include "pg/api/call.hpp"
#include "pg/api/field_errors.hpp"
#include "pg/api/idempotency.hpp"
#include "pg/api/plan.hpp"
#include "pg/api/refusals.hpp"
#include "pg/api/request.hpp"
#include "pg/api/rights.hpp"
#include "pg/boundary.hpp"
#include "pg/identity/session.hpp"
#include "pg/tenancy/context.hpp"

extern "C" {
#include <utils/resowner.h>
}

namespace relygate::pg {
namespace {

constexpr core::Refusal kNoSuchRoute{.status = 404, .code = "route_unknown", .message = "there is no such route"};
constexpr core::Refusal kNoSuchMethod{
    .status = 405, .code = "method_not_allowed", .message = "the route does not take this method"};
constexpr core::Refusal kMediaType{
    .status = 415, .code = "content_type", .message = "the body must be application/json in UTF-8"};
constexpr core::Refusal kNoToken{.status = 401, .code = "token_missing", .message = "a token is needed"};
constexpr core::Refusal kSessionEnded{.status = 401, .code = "session_ended", .message = "the session has ended"};
constexpr core::Refusal kForbidden{
    .status = 403, .code = "forbidden", .message = "your role does not have the permission that is needed"};
constexpr core::Refusal kSuspended{.status = 423,
                                   .code = "tenant_suspended",
                                   .message = "the organisation is suspended: only reading and check-outs work"};
constexpr core::Refusal kForeignTenant{
    .status = 403, .code = "foreign_tenant", .message = "the tenant comes from the token alone"};
constexpr core::Refusal kInvalid{.status = 400, .code = "invalid", .message = "the request is not valid"};
constexpr core::Refusal kNoSuchRow{.status = 404, .code = "not_found", .message = "there is no such thing"};
constexpr core::Refusal kBadKey{
    .status = 400, .code = "idempotency_key", .message = "Idempotency-Key must be 1 to 255 printable ASCII characters"};
constexpr core::Refusal kKeyReused{
    .status = 422, .code = "idempotency_key_reused", .message = "this Idempotency-Key belongs to another request"};
constexpr core::Refusal kStillRunning{.status = 409,
                                      .code = "idempotency_key_in_use",
                                      .message = "the first request with this Idempotency-Key is still running"};

Answer refuse(const core::Refusal &refusal, const Request &request, std::span<const core::FieldError> errors = {}) {
    return answer_from_refusal(refusal, errors, {}, request.request_id);
}

// Without a token the context stays empty; a function that finds its tenant by itself (a login) sets it once.
void set_request_context(const Request &request, bool is_public) {
    set_context_locally("app.request_id", request.request_id);
    set_context_locally("app.client_address", request.client_address);
    set_current_session(is_public || !request.session ? nullptr : DatumGetUUIDP(request.session_id));
    if (is_public)
        return;
    set_context_locally("app.tenant_id", request.tenant);
    set_context_locally("app.user_id", request.user);
    if (*current_user_role() != '\0') // until the rights are known
        set_context_locally("app.user_role", "");
}

struct Call {
    const Request &request;
    const Route &route;
    const Signature &signature;
    const core::Binding &binding;
    Arguments arguments;
};

Rows execute(const Call &call) {
    return call_route(call.route, call.signature, call.arguments);
}

Answer answer_of_call(Call &call) {
    const Rows rows = execute(call);
    if (call.route.answer == AnswerKind::answer) {
        if (rows.count != 1)
            elog(ERROR, "relygate.%s gave no answer", call.route.function);
        return answer_from_row(rows.tuples[0], rows.tuple_shape, 1);
    }
    if (call.route.answer == AnswerKind::object && rows.count == 0)
        return refuse(kNoSuchRow, call.request);
    Paging paging{};
    std::int64_t total = -1;
    if (call.route.answer == AnswerKind::list) {
        paging.is_paged = call.signature.page_limit >= 0;
        paging.is_cursor = call.binding.page.is_cursor;
        paging.page = call.binding.page.number;
        paging.page_size = call.binding.page.size;
        paging.sort = call.binding.page.sort;
        if (rows.count == 0 && paging.is_paged && !paging.is_cursor && paging.page > 1) {
            // Behind the last page no row carries the total: ask once more, for one row of the first.
            ask_for_total(call.signature, call.arguments);
            total = std::max<std::int64_t>(total_of_rows(execute(call)), 0);
        }
    }
    return answer_from_rows(call.route, rows, paging, call.request.if_none_match, total);
}

// The product's functions refuse before they write, and nothing outside of the database hears of what they did. Those
// that answer for themselves (a login) count what was tried; which tenant another route acts in, its members say.
bool may_be_asked_again(const Route &route, const Signature &signature) {
    return route.is_product && !route.is_public && route.answer != AnswerKind::answer && signature.tenant_argument < 0;
}

// What is wrong is null in this call. A wrong id is none that a check could stand on: which site, whose category.
bool is_worth_asking(const Signature &signature, std::span<const core::FieldError> known) {
    return std::none_of(known.begin(), known.end(), [&](const core::FieldError &error) {
        return std::any_of(signature.parameters, signature.parameters + signature.count, [&](const core::Parameter &p) {
            return p.member == error.field && p.kind == core::ValueKind::uuid;
        });
    });
}

// Which of two alternatives is there, and whether an object is, the binder has seen; here what is wrong is null.
bool is_judged(const Route &route, std::string_view member, std::span<const core::FieldError> known) {
    const auto is_within = [](std::string_view path, std::string_view object) {
        return path.size() > object.size() && path.starts_with(object) && path[object.size()] == '.';
    };
    return std::any_of(
               route.one_of, route.one_of + route.one_of_count,
               [&](const core::Alternatives &row) { return std::find(row.begin(), row.end(), member) != row.end(); }) ||
           std::any_of(known.begin(), known.end(), [&](const core::FieldError &error) {
               return is_within(member, error.field) || is_within(error.field, member);
           });
}

// The errors that are known and those that only the database finds; see field_errors.hpp.
std::span<const core::FieldError> all_errors(Call &call, std::span<const core::FieldError> known) {
    FieldErrors errors;
    for (const core::FieldError &error : known)
        errors.add(error);
    if (!may_be_asked_again(call.route, call.signature) || !is_worth_asking(call.signature, known))
        return errors.all();
    const MemoryContext memory = CurrentMemoryContext;
    const ResourceOwner owner = CurrentResourceOwner;
    auto *noted = new (palloc(sizeof(NotedRefusals))) NotedRefusals;
    ErrorData *volatile error = nullptr;
    BeginInternalSubTransaction(nullptr);
    MemoryContextSwitchTo(memory);
    collect_into(noted);
    PG_TRY();
    { execute(call); }
    PG_CATCH();
    {
        MemoryContextSwitchTo(memory);
        error = CopyErrorData();
        FlushErrorState();
    }
    PG_END_TRY();
    collect_into(nullptr);
    RollbackAndReleaseCurrentSubTransaction();
    MemoryContextSwitchTo(memory);
    CurrentResourceOwner = owner;
    if (error && is_for_the_shim(error))
        ReThrowError(error);
    if (error && blames_members(error))
        add_noted(errors, {error->column_name, error->constraint_name, error->message, error->detail}, call.signature);
    FieldErrors found;
    for (int i = 0; i < noted->count; ++i)
        add_noted(found, noted->refusals[i], call.signature);
    for (const core::FieldError &one : found.all())
        if (!is_judged(call.route, one.field, known))
            errors.add(one);
    return errors.all();
}

// The call in its subtransaction. Refusals that are to stay (a failed login counts) come as an answer of the function.
Answer call_function(Call &call) {
    const MemoryContext memory = CurrentMemoryContext;
    const ResourceOwner owner = CurrentResourceOwner;
    auto *answer = static_cast<Answer *>(palloc0(sizeof(Answer)));
    ErrorData *volatile error = nullptr;
    BeginInternalSubTransaction(nullptr);
    MemoryContextSwitchTo(memory);
    PG_TRY();
    {
        *answer = answer_of_call(call);
        if (answer->status >= 400 && call.route.answer != AnswerKind::answer)
            RollbackAndReleaseCurrentSubTransaction();
        else
            ReleaseCurrentSubTransaction();
    }
    PG_CATCH();
    {
        MemoryContextSwitchTo(memory);
        error = CopyErrorData();
        FlushErrorState();
        RollbackAndReleaseCurrentSubTransaction();
    }
    PG_END_TRY();
    MemoryContextSwitchTo(memory);
    CurrentResourceOwner = owner;
    if (error && blames_members(error))
        if (const auto errors = all_errors(call, {}); errors.size() > 1)
            return refuse(kInvalid, call.request, errors);
    if (error)
        return answer_from_error(error, call.signature, call.binding, call.request.request_id);
    return *answer;
}

// A token of ours with less than a quarter of its life left gets a successor.
bool is_renewal_due(const Request &request) {
    if (!request.session || !request.has_expiry)
        return false;
    const std::int64_t life = token_lifetime_seconds() * USECS_PER_SEC;
    return request.token_expires_at - GetCurrentTimestamp() < life / 4;
}

void renew_token(const Request &request, const Rights &rights, Answer &answer) {
    static SPIPlanPtr plan = nullptr;
    if (plan == nullptr)
        plan = keep_plan("SELECT token FROM relygate.sign_token(user_id => $1, session_id => $2, role => $3)",
                         {UUIDOID, UUIDOID, TEXTOID});
    Datum values[] = {request.user_id, request.session_id, CStringGetTextDatum(rights.role)};
    if (SPI_execute_plan(plan, values, nullptr, false, 1) != SPI_OK_SELECT || SPI_processed != 1)
        elog(ERROR, "could not renew a token");
    answer.add_header("X-New-Token", SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1));
    answer.drop_header("Cache-Control"); // the shim's no-store stands in then: an old token must not come from a cache
}

Answer refuse_binding(const core::Binding &binding, const Request &request) {
    if (binding.is_foreign_tenant)
        return refuse(kForeignTenant, request);
    if (binding.body_code == nullptr)
        return refuse(kInvalid, request, binding.errors);
    core::Refusal refusal = kInvalid;
    refusal.code = binding.body_code;
    refusal.message = pnstrdup(binding.body_message.data(), binding.body_message.size());
    return refuse(refusal, request, binding.errors);
}

bool is_bound(const core::Binding &binding) {
    return !binding.is_foreign_tenant && binding.body_code == nullptr && binding.errors.empty();
}

Answer bind_and_call(const Request &request, const Route &route, const core::RouteMatch &match, Rights &rights) {
    const Signature &signature = signature_of(route);
    const std::string_view tenant = request.tenant && !route.is_public ? request.tenant : "";
    const auto bind = [&] {
        return bind_members(route, signature, match, request.query, request.body, rights.country, tenant);
    };
    core::Binding binding = bind();
    if (is_bound(binding) && signature.tenant_argument >= 0 && !binding.values[signature.tenant_argument].is_null) {
        // The only place where the context turns. The members are bound again: another tenant, another country.
        const auto acted_in = core::print_uuid(binding.values[signature.tenant_argument].uuid);
        turn_context_to(pnstrdup(acted_in.data(), acted_in.size()));
        look_up_tenant(rights);
        binding = bind();
    }
    if (!is_bound(binding)) {
        if (!binding.is_foreign_tenant && binding.is_read) {
            Call call{request, route, signature, binding, make_arguments(signature, binding)};
            binding.errors = all_errors(call, binding.errors);
        }
        return refuse_binding(binding, request);
    }

    IdempotencyKey key{};
    if (!request.idempotency_key.empty() && !route.is_read_only && !route.is_public) {
        if (!is_idempotency_key(request.idempotency_key))
            return refuse(kBadKey, request);
        key = idempotency_key(request.idempotency_key, request.user_id, request.tenant, request.user,
                              {request.method, request.path, request.query, request.body});
        Answer first{};
        switch (begin_once(key, request.tenant, request.user, first)) {
        case Repetition::again:
            return first;
        case Repetition::other_request:
            return refuse(kKeyReused, request);
        case Repetition::still_running: {
            Answer held = refuse(kStillRunning, request);
            held.add_header("Retry-After", "1");
            return held;
        }
        case Repetition::first:
            break;
        }
    }
    Call call{request, route, signature, binding, make_arguments(signature, binding)};
    const Answer answer = call_function(call);
    if (!key.key.empty() && answer.status < 400)
        keep_answer(key, answer);
    return answer;
}

Answer serve(Request &request) {
    core::RouteMatch match;
    const Route *route = find_route(request.method, request.path, match);
    if (route == nullptr) {
        if (match.kind == core::RouteMatch::Kind::no_such_path)
            return refuse(kNoSuchRoute, request);
        Answer answer = refuse(kNoSuchMethod, request);
        answer.add_header("Allow", pstrdup(match.allow));
        return answer;
    }
    if (!request.body.empty() && !core::is_json_media_type(request.content_type))
        return refuse(kMediaType, request);
    if (!route->is_public && (request.tenant == nullptr || request.user == nullptr))
        return refuse(kNoToken, request);
    set_request_context(request, route->is_public);
    Rights rights{};
    if (!route->is_public) {
        rights = look_up_rights(request.user_id, request.session ? &request.session_id : nullptr, route->permission);
        if (!rights.is_known)
            return refuse(kSessionEnded, request);
        set_context_locally("app.user_role", rights.role);
        if (!rights.is_allowed)
            return refuse(kForbidden, request);
        if (rights.is_suspended && !route->is_read_only && !route->is_while_suspended)
            return refuse(kSuspended, request);
    }
    const bool renews = !route->is_public && is_renewal_due(request);
    if (renews)
        request.if_none_match = {}; // a 304 would add the token to what a browser keeps
    Answer answer = bind_and_call(request, *route, match, rights);
    if (renews && answer.status < 400)
        renew_token(request, rights, answer);
    return answer;
}

bool is_serving = false; // a route's function may not come back here: the catalogue would be read under its feet

} // namespace
} // namespace relygate::pg

using namespace relygate::pg;

RELYGATE_FUNCTION(relygate_handle_request) {
    if (is_serving)
        ereport(ERROR, errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                errmsg("handle_request cannot be called while it serves a request"));
    const MemoryContext outer = CurrentMemoryContext;
    if (SPI_connect() != SPI_OK_CONNECT)
        elog(ERROR, "could not connect to SPI");
    auto *result = static_cast<Datum *>(palloc0(sizeof(Datum)));
    is_serving = true;
    PG_TRY();
    {
        Request request = read_request(fcinfo);
        *result = make_answer(fcinfo, serve(request), outer);
    }
    PG_CATCH();
    {
        is_serving = false;
        MemoryContextSwitchTo(outer);
        ErrorData *error = CopyErrorData();
        FlushErrorState();
        raise_if_definitions_changed(error);
        ReThrowError(error);
    }
    PG_END_TRY();
    is_serving = false;
    const Datum answer = *result;
    SPI_finish();
    PG_RETURN_DATUM(answer);
}

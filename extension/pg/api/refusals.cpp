// See refusals.hpp.
#include "pg/api/refusals.hpp"

#include "core/route/member_name.hpp"
#include "pg/api/catalogue.hpp"
#include "pg/boundary.hpp"

extern "C" {
#include <catalog/namespace.h>
#include <catalog/pg_constraint.h>
#include <catalog/pg_index.h>
#include <commands/comment.h>
}

namespace relygate::pg {
namespace {

constexpr core::Refusal kInternal{.status = 500, .code = "internal", .message = "the request could not be served"};
constexpr core::Refusal kNoSuchReference{
    .status = 404, .code = "not_found", .message = "what the request refers to does not exist"};
constexpr core::Refusal kInUse{.status = 409, .code = "in_use", .message = "something else still refers to this"};
constexpr core::Refusal kDuplicate{.status = 409, .code = "duplicate", .message = "this exists already"};
constexpr core::Refusal kRequired{.status = 400, .code = "required", .message = "value is missing"};
constexpr core::Refusal kInvalid{.status = 400, .code = "invalid", .message = "value is not valid"};

bool is_class(const ErrorData *error, const char *name) {
    return std::strncmp(unpack_sql_state(error->sqlerrcode), name, 2) == 0;
}

Oid table_of(const ErrorData *error) {
    if (error->schema_name == nullptr || error->table_name == nullptr)
        return InvalidOid;
    const Oid schema = get_namespace_oid(error->schema_name, true);
    return OidIsValid(schema) ? get_relname_relid(error->table_name, schema) : InvalidOid;
}

// The last column of an index or a constraint: what stands before it is the tenant.
const char *column_of(const ErrorData *error) {
    if (error->column_name)
        return error->column_name;
    const Oid table = table_of(error);
    if (!OidIsValid(table) || error->constraint_name == nullptr)
        return nullptr;
    AttrNumber column = 0;
    const Oid constraint = get_relation_constraint_oid(table, error->constraint_name, true);
    if (OidIsValid(constraint)) {
        HeapTuple tuple = SearchSysCache1(CONSTROID, ObjectIdGetDatum(constraint));
        bool is_null = true;
        Datum keys = 0;
        if (HeapTupleIsValid(tuple))
            keys = SysCacheGetAttr(CONSTROID, tuple, Anum_pg_constraint_conkey, &is_null);
        if (!is_null) {
            const ArrayType *array = DatumGetArrayTypeP(keys);
            const int count = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
            if (count > 0)
                column = reinterpret_cast<const int16 *>(ARR_DATA_PTR(array))[count - 1];
        }
        if (HeapTupleIsValid(tuple))
            ReleaseSysCache(tuple);
    } else if (const Oid index = get_relname_relid(error->constraint_name, get_rel_namespace(table));
               OidIsValid(index)) {
        HeapTuple tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(index));
        if (HeapTupleIsValid(tuple)) {
            const auto *form = reinterpret_cast<const FormData_pg_index *>(GETSTRUCT(tuple));
            column = form->indkey.values[form->indnkeyatts - 1];
            ReleaseSysCache(tuple);
        }
    }
    return column > 0 ? get_attname(table, column, true) : nullptr;
}

// The member that a column or parameter stands for: itself, else the only one that ends in it (mobile: visitor.mobile).
std::string_view member_of(const char *name, const Signature &signature, bool is_certain) {
    if (name == nullptr)
        return {};
    const std::string_view wanted = name;
    std::string_view found;
    int count = 0;
    for (int i = 0; i < signature.count; ++i) {
        const core::Parameter &parameter = signature.parameters[i];
        if (parameter.name == wanted)
            return parameter.member;
        if (parameter.name.size() > wanted.size() + 2 && parameter.name.ends_with(wanted) &&
            parameter.name.substr(0, parameter.name.size() - wanted.size()).ends_with("__")) {
            found = parameter.member;
            ++count;
        }
    }
    if (count == 1)
        return found;
    if (!is_certain)
        return {};
    return run_rule([&] {
        ContextMemory memory;
        return core::member_path(wanted, memory);
    });
}

// Several members may be to blame for one reason, as ids that lead nowhere: "host_id,gate_id".
Answer answer_by_fields(const core::Refusal &refusal, const ErrorData *error, const Signature &signature,
                        std::string_view request_id) {
    FieldErrors errors;
    if (error->column_name)
        add_noted(errors, {error->column_name, refusal.code, refusal.message, refusal.detail}, signature);
    return answer_from_refusal(refusal, errors.all(), error->datatype_name ? error->datatype_name : "", request_id);
}

bool is_needed(Oid table, const char *column) {
    HeapTuple tuple = SearchSysCacheAttName(table, column);
    const bool is_not_null =
        HeapTupleIsValid(tuple) && reinterpret_cast<Form_pg_attribute>(GETSTRUCT(tuple))->attnotnull;
    if (HeapTupleIsValid(tuple))
        ReleaseSysCache(tuple);
    return is_not_null;
}

// PostgreSQL names the first column; a PATCH may have cleared more of the table's that are needed.
Answer answer_to_nulls(const ErrorData *error, const Signature &signature, const core::Binding &binding,
                       std::string_view request_id) {
    const Oid table = table_of(error);
    auto *errors = static_cast<core::FieldError *>(palloc0(sizeof(core::FieldError) * (signature.count + 1)));
    std::size_t count = 0;
    for (int i = 0; i < signature.count && OidIsValid(table); ++i)
        if (binding.values[i].is_given && binding.values[i].is_null &&
            is_needed(table, signature.parameters[i].name.data()))
            errors[count++] = {signature.parameters[i].member, kRequired.code, kRequired.message};
    if (count == 0)
        if (const std::string_view member = member_of(error->column_name, signature, false); !member.empty())
            errors[count++] = {member, kRequired.code, kRequired.message};
    return answer_from_refusal(kRequired, {errors, count}, {}, request_id);
}

// What the COMMENT of a CHECK says; without one nobody knows more than that the value is wrong.
const char *comment_of_check(const ErrorData *error) {
    const Oid table = table_of(error);
    const Oid check = OidIsValid(table) && error->constraint_name
                          ? get_relation_constraint_oid(table, error->constraint_name, true)
                          : InvalidOid;
    return OidIsValid(check) ? GetComment(check, ConstraintRelationId, 0) : nullptr;
}

Answer answer(const core::Refusal &refusal, std::string_view field, const char *data, std::string_view request_id) {
    const core::FieldError error{field, refusal.code, refusal.message};
    return answer_from_refusal(refusal, {&error, field.empty() ? 0u : 1u}, data ? data : "", request_id);
}

void log_in_full(ErrorData *error, std::string_view request_id) {
    error->message = psprintf("request %.*s failed with %s: %s", static_cast<int>(request_id.size()), request_id.data(),
                              unpack_sql_state(error->sqlerrcode), error->message);
    error->elevel = LOG_SERVER_ONLY;
    ThrowErrorData(error); // below ERROR it reports and returns
}

} // namespace

bool is_for_the_shim(const ErrorData *error) {
    return error->sqlerrcode == ERRCODE_T_R_SERIALIZATION_FAILURE ||
           error->sqlerrcode == ERRCODE_T_R_DEADLOCK_DETECTED || error->sqlerrcode == ERRCODE_QUERY_CANCELED ||
           is_class(error, "53") || is_class(error, "08") ||
           std::strncmp(unpack_sql_state(error->sqlerrcode), "57P0", 4) == 0;
}

bool blames_members(const ErrorData *error) {
    return error->sqlerrcode == MAKE_SQLSTATE('R', 'G', '4', '0', '0') && error->constraint_name && error->column_name;
}

void add_noted(FieldErrors &errors, const NotedRefusal &noted, const Signature &signature) {
    std::string_view names = noted.fields;
    const bool has_detail = noted.detail && noted.detail[0];
    const char *message = has_detail ? psprintf("%s. %s", noted.message, noted.detail) : noted.message;
    while (!names.empty()) {
        const std::size_t end = std::min(names.find(','), names.size());
        errors.add({member_of(pnstrdup(names.data(), end), signature, true), noted.code, message});
        names.remove_prefix(std::min(end + 1, names.size()));
    }
}

// The extension was upgraded while the request ran: a function of the old version met a type of the new one. Nothing
// was done; the shim asks again and meets the new version alone.
void raise_if_definitions_changed(const ErrorData *error) {
    if (definitions_changed() && !is_for_the_shim(error))
        ereport(ERROR, errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
                errmsg("a function was changed while the request ran"), errdetail("%s", error->message));
}

Answer answer_from_error(ErrorData *error, const Signature &signature, const core::Binding &binding,
                         std::string_view request_id) {
    if (is_for_the_shim(error))
        ReThrowError(error);
    if (is_class(error, "RG") && error->constraint_name) {
        const char *state = unpack_sql_state(error->sqlerrcode);
        core::Refusal refusal{.status = (state[2] - '0') * 100 + (state[3] - '0') * 10 + (state[4] - '0'),
                              .code = error->constraint_name,
                              .message = error->message,
                              .hint = error->hint};
        if (error->detail)
            refusal = refusal.with_detail(error->detail);
        return answer_by_fields(refusal, error, signature, request_id);
    }
    switch (error->sqlerrcode) {
    case ERRCODE_FOREIGN_KEY_VIOLATION:
        // The same SQLSTATE tells of a missing row and of one that is still needed; only the untranslated message
        // differs.
        if (error->message_id && std::strncmp(error->message_id, "insert", 6) != 0)
            return answer(kInUse, {}, nullptr, request_id);
        return answer(kNoSuchReference, member_of(column_of(error), signature, false), nullptr, request_id);
    case ERRCODE_UNIQUE_VIOLATION:
    case ERRCODE_EXCLUSION_VIOLATION:
        return answer(kDuplicate, member_of(column_of(error), signature, false), nullptr, request_id);
    case ERRCODE_NOT_NULL_VIOLATION:
        return answer_to_nulls(error, signature, binding, request_id);
    case ERRCODE_CHECK_VIOLATION: {
        core::Refusal refusal = kInvalid;
        if (const char *comment = comment_of_check(error))
            refusal.message = comment;
        return answer(refusal, member_of(column_of(error), signature, false), nullptr, request_id);
    }
    }
    if (is_class(error, "22")) // a cursor's key is cast by the function that gave it out
        return answer(kInvalid, binding.page.is_cursor ? "cursor" : "", nullptr, request_id);
    raise_if_definitions_changed(error);
    log_in_full(error, request_id);
    return answer(kInternal, {}, nullptr, request_id);
}

} // namespace relygate::pg

using namespace relygate::pg;

// Raises what the dispatcher turns into an answer; see refusals.hpp.
RELYGATE_FUNCTION(relygate_refuse) {
    const auto word = [&](int position) {
        return PG_ARGISNULL(position) ? nullptr : text_to_cstring(PG_GETARG_TEXT_PP(position));
    };
    const int status = PG_ARGISNULL(0) ? 0 : PG_GETARG_INT32(0);
    if (status < 400 || status > 599 || PG_ARGISNULL(1) || PG_ARGISNULL(2))
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                errmsg("a refusal needs a status from 400 to 599, a code and a message"));
    const char *code = word(1), *message = word(2), *detail = word(3), *hint = word(4), *field = word(5);
    if (status == 400 && field && is_collecting()) {
        note_refusal({field, code, message, detail});
        PG_RETURN_VOID();
    }
    const char *data = PG_ARGISNULL(6) ? nullptr : DatumGetCString(DirectFunctionCall1(jsonb_out, PG_GETARG_DATUM(6)));
    ereport(ERROR, errcode(MAKE_SQLSTATE('R', 'G', '0' + status / 100, '0' + status / 10 % 10, '0' + status % 10)),
            errmsg("%s", message), detail ? errdetail("%s", detail) : 0, hint ? errhint("%s", hint) : 0,
            err_generic_string(PG_DIAG_CONSTRAINT_NAME, code),
            field ? err_generic_string(PG_DIAG_COLUMN_NAME, field) : 0,
            data ? err_generic_string(PG_DIAG_DATATYPE_NAME, data) : 0);
    pg_unreachable();
}

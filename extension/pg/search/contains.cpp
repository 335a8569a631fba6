// Search under row-level security: contains(text, term) and its index support. LIKE cannot reach an index there,
// because it may raise and so counts as leaky; this function compares bytes and cannot raise, so it is LEAKPROOF. Its
// support function offers the planner `column ~~* contains_pattern(term)` for a trigram index, which finds at least
// every row that contains the term; the function itself then decides (lossy). Terms of under three characters have no
// trigram: the index gives them every row of the tenant, and the answer is as right.
#include "pg/boundary.hpp"

extern "C" {
#include <catalog/pg_collation.h>
#include <catalog/pg_operator.h>
#include <nodes/makefuncs.h>
#include <nodes/nodeFuncs.h>
#include <nodes/supportnodes.h>
#include <optimizer/optimizer.h>
#include <parser/parse_func.h>
}

namespace {

// As PostgreSQL's contsel: what people look for is rare. Statistics could tell more, and would tell it of every tenant.
constexpr double kSelectivity = 0.001;

// relygate.contains_pattern(text), which stands beside the function that is planned; InvalidOid where it is missing.
Oid pattern_function(Oid contains) {
    const Oid arguments[] = {TEXTOID};
    char *schema = get_namespace_name(get_func_namespace(contains));
    if (schema == nullptr)
        return InvalidOid;
    List *name = list_make2(makeString(schema), makeString(pstrdup("contains_pattern")));
    return LookupFuncName(name, 1, arguments, true);
}

// `column ~~* contains_pattern(term)` where the index's operator class knows ~~* (pg_trgm's does), else nothing.
Node *index_condition(SupportRequestIndexCondition *request) {
    List *arguments = NIL;
    if (IsA(request->node, FuncExpr))
        arguments = castNode(FuncExpr, request->node)->args;
    else if (IsA(request->node, OpExpr))
        arguments = castNode(OpExpr, request->node)->args;
    if (list_length(arguments) != 2 || request->indexarg != 0 || !op_in_opfamily(OID_TEXT_ICLIKE_OP, request->opfamily))
        return nullptr;
    auto *column = static_cast<Expr *>(linitial(arguments));
    auto *term = static_cast<Node *>(lsecond(arguments));
    if (!is_pseudo_constant_for_index(request->root, term, request->index))
        return nullptr;
    const Oid pattern = pattern_function(request->funcid);
    if (!OidIsValid(pattern))
        return nullptr;

    request->lossy = true;
    auto *call = reinterpret_cast<Node *>(
        makeFuncExpr(pattern, TEXTOID, list_make1(term), InvalidOid, DEFAULT_COLLATION_OID, COERCE_EXPLICIT_CALL));
    // A constant term becomes a constant pattern, whose cost the planner can tell.
    auto *value = reinterpret_cast<Expr *>(eval_const_expressions(request->root, call));
    auto *condition =
        make_opclause(OID_TEXT_ICLIKE_OP, BOOLOID, false, column, value, InvalidOid, request->indexcollation);
    set_opfuncid(castNode(OpExpr, condition));
    return reinterpret_cast<Node *>(list_make1(condition));
}

} // namespace

RELYGATE_FUNCTION(relygate_contains) {
    const std::string_view whole = relygate::pg::text_view(PG_GETARG_TEXT_PP(0));
    const std::string_view term = relygate::pg::text_view(PG_GETARG_TEXT_PP(1));
    PG_RETURN_BOOL(whole.find(term) != std::string_view::npos);
}

// The term as a pattern of LIKE: %term% with its own %, _ and \ escaped.
RELYGATE_FUNCTION(relygate_contains_pattern) {
    const std::string_view term = relygate::pg::text_view(PG_GETARG_TEXT_PP(0));
    auto *pattern = static_cast<text *>(palloc(VARHDRSZ + 2 * term.size() + 2));
    char *end = VARDATA(pattern);
    *end++ = '%';
    for (const char c : term) {
        if (c == '%' || c == '_' || c == '\\')
            *end++ = '\\';
        *end++ = c;
    }
    *end++ = '%';
    SET_VARSIZE(pattern, end - reinterpret_cast<char *>(pattern));
    PG_RETURN_TEXT_P(pattern);
}

RELYGATE_FUNCTION(relygate_contains_support) {
    auto *request = reinterpret_cast<Node *>(PG_GETARG_POINTER(0));
    Node *answer = nullptr;
    if (IsA(request, SupportRequestSelectivity)) {
        auto *selectivity = reinterpret_cast<SupportRequestSelectivity *>(request);
        if (!selectivity->is_join) {
            selectivity->selectivity = kSelectivity;
            answer = request;
        }
    } else if (IsA(request, SupportRequestIndexCondition)) {
        answer = index_condition(reinterpret_cast<SupportRequestIndexCondition *>(request));
    }
    PG_RETURN_POINTER(answer);
}

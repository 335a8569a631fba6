// The row a BEFORE trigger is about to write: columns by name, and changes collected into one new tuple. Everything
// here may longjmp; nothing has a destructor.
#pragma once

#include "pg/boundary.hpp"

namespace relygate::pg {

class Row {
  public:
    // Raises where the function is not fired as a BEFORE ROW trigger of INSERT or UPDATE.
    Row(FunctionCallInfo fcinfo, const char *function);

    bool is_insert() const { return TRIGGER_FIRED_BY_INSERT(data_->tg_event); }
    const Trigger &trigger() const { return *data_->tg_trigger; }

    // The attribute number, 0 where the table has no such column.
    int find(const char *column, Oid type) const;   // 0 where there is none; raises where it is of another type
    int column(const char *column, Oid type) const; // raises where there is none

    NullableDatum now(int column) const { return value(now_, column); }       // as it stands after the changes so far
    NullableDatum before(int column) const { return value(before_, column); } // of an UPDATE
    Oid type(int column) const { return SPI_gettypeid(data_->tg_relation->rd_att, column); } // domains by their own id
    bool is_changed(int column) const;                                                       // true in an INSERT

    void set(int column, NullableDatum to);
    Datum result() const { return PointerGetDatum(now_); }

  private:
    NullableDatum value(HeapTuple tuple, int column) const;

    TriggerData *data_;
    HeapTuple before_ = nullptr;
    HeapTuple now_;
};

inline NullableDatum not_null(Datum value) {
    return {value, false};
}
inline NullableDatum null_datum() {
    return {0, true};
}

} // namespace relygate::pg

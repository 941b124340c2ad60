"""How compiled code reads and writes the arrays of a city: by address, with named fields.

numba passes an array as seven numbers and counts its references, which costs more than the work where a hundred small
functions share thirty arrays. Here compiled code gets one address: that of a list of the arrays' own addresses. What
is written `city.units[u].in_use += 1` means the same compiled as in plain Python, where `city.units` is an array of
numpy. Nothing is copied, and no bound is checked: the engine keeps to the rows it has made room for. The arrays must
stay alive during the call, and numbers of 32 bits are read as 64.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, ClassVar, cast

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.datamodel import models
from numba.core.typing.templates import AbstractTemplate, AttributeTemplate, infer_global, signature
from numba.extending import (
    NativeValue,
    infer_getattr,
    intrinsic,
    lower_builtin,
    lower_getattr_generic,
    lower_setattr_generic,
    register_model,
    typeof_impl,
    unbox,
)  # fmt: skip
from numpy.typing import NDArray

from flowsim.engine.jit import config

LINE_BYTES = 64
INT64 = ir.IntType(64)
POINTER = ir.IntType(8).as_pointer()


def rows_of_zeros(count: int, kind: np.dtype[Any]) -> NDArray[Any]:
    """Rows that begin with a line of the processor's memory."""
    memory = np.zeros(count * kind.itemsize + LINE_BYTES, np.uint8)
    first = -memory.ctypes.data % LINE_BYTES
    return memory[first : first + count * kind.itemsize].view(kind)


unrecorded: set[str] = set()
"""Tables, and fields as `units.starts`, that compiled code does not write: none, but to measure what writing costs."""


class Tables:
    """Arrays under their names, and for compiled code a list of (address, length) of each, in order of `kinds`.

    `kinds` of a subclass gives the numpy type of each array's rows: a structured one, or a plain number.
    """

    kinds: ClassVar[dict[str, np.dtype[Any]]] = {}
    shared: ClassVar[frozenset[str]] = frozenset()
    """Tables whose memory is that of others too."""

    def __init__(self, arrays: dict[str, NDArray[Any]]) -> None:
        for name, kind in self.kinds.items():
            if arrays[name].dtype != kind or not arrays[name].flags.c_contiguous:
                raise TypeError(f"{name}: must be a contiguous array of {kind}")
            # Plain Python reads fields as attributes from numpy's `recarray` alone.
            plain = config.DISABLE_JIT and kind.fields is not None
            setattr(self, name, arrays[name].view(np.recarray) if plain else arrays[name])
        found = [(arrays[name].ctypes.data, len(arrays[name])) for name in self.kinds]
        self.addresses = np.array(found, np.int64)
        self.address = self.addresses.ctypes.data

    def with_(self, **arrays: NDArray[Any]) -> Any:
        """The same tables, some replaced."""
        return type(self)({name: np.asarray(arrays.get(name, getattr(self, name))) for name in self.kinds})


class TablesType(types.Type):
    """Type of a `Tables`: the address of its list."""

    def __init__(self, of: type[Tables]) -> None:
        self.of = of
        super().__init__(f"tables.{of.__name__}")


class TableType(types.Type):
    """Type of one table: its address and length."""

    def __init__(self, of: type[Tables], field: str) -> None:
        self.of, self.field, self.kind = of, field, of.kinds[field]
        super().__init__(f"table.{of.__name__}.{field}")


class RowType(types.Type):
    """Type of one record: its address."""

    def __init__(self, of: type[Tables], field: str) -> None:
        self.of, self.field, self.kind = of, field, of.kinds[field]
        super().__init__(f"row.{of.__name__}.{field}")


def _number(kind: np.dtype[Any]) -> Any:
    return types.float64 if kind.kind == "f" else types.int64


@register_model(TablesType)
@register_model(RowType)
class _AddressModel(models.PrimitiveModel):
    def __init__(self, manager: Any, of: Any) -> None:
        super().__init__(manager, of, POINTER)


@register_model(TableType)
class _TableModel(models.StructModel):
    def __init__(self, manager: Any, of: Any) -> None:
        super().__init__(manager, of, [("data", types.voidptr), ("size", types.int64)])


@typeof_impl.register(Tables)
def _typeof(value: Tables, context: Any) -> Any:
    return TablesType(type(value))


@unbox(TablesType)
def _unbox(kind: Any, value: Any, c: Any) -> Any:
    address = c.pyapi.object_getattr_string(value, "address")
    pointer = c.builder.inttoptr(c.pyapi.long_as_longlong(address), POINTER)
    c.pyapi.decref(address)
    return NativeValue(pointer)


# --- a table of the tables ------------------------------------------------------------------------------------


@infer_getattr
class _TablesAttribute(AttributeTemplate):
    key = TablesType

    def generic_resolve(self, tables: Any, name: str) -> Any:
        return TableType(tables.of, name) if name in tables.of.kinds else None


@lower_getattr_generic(TablesType)
def _get_table(context: Any, builder: Any, kind: Any, tables: Any, name: str) -> Any:
    entries = builder.bitcast(tables, INT64.as_pointer())
    place = 2 * list(kind.of.kinds).index(name)
    table = cgutils.create_struct_proxy(TableType(kind.of, name))(context, builder)
    address = _load_fixed(builder, cgutils.gep_inbounds(builder, entries, place))
    table.data = builder.inttoptr(address, POINTER)
    table.size = _load_fixed(builder, cgutils.gep_inbounds(builder, entries, place + 1))
    return table._getvalue()


def _load_fixed(builder: Any, address: Any) -> Any:
    """What nothing changes during a call, so that it need be read but once."""
    value = builder.load(address)
    value.set_metadata("invariant.load", builder.module.add_metadata([]))
    return value


# --- a row of a table -----------------------------------------------------------------------------------------


@infer_global(operator.getitem)
class _GetItem(AbstractTemplate):
    def generic(self, args: Any, kws: Any) -> Any:
        if len(args) == 2 and isinstance(args[0], TableType) and isinstance(args[1], types.Integer):
            table = args[0]
            row = RowType(table.of, table.field) if table.kind.fields else _number(table.kind)
            return signature(row, table, types.int64)
        return None


@infer_global(operator.setitem)
class _SetItem(AbstractTemplate):
    def generic(self, args: Any, kws: Any) -> Any:
        if len(args) == 3 and isinstance(args[0], TableType):
            table = args[0]
            value = RowType(table.of, table.field) if table.kind.fields else _number(table.kind)
            return signature(types.none, table, types.int64, value)
        return None


@infer_global(len)
class _Length(AbstractTemplate):
    def generic(self, args: Any, kws: Any) -> Any:
        return signature(types.int64, args[0]) if isinstance(args[0], TableType) else None


def _row_address(context: Any, builder: Any, kind: Any, table: Any, index: Any) -> Any:
    data = cgutils.create_struct_proxy(kind)(context, builder, value=table).data
    return builder.gep(data, [builder.mul(index, INT64(kind.kind.itemsize))])


@lower_builtin(operator.getitem, TableType, types.int64)
def _get_row(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    kind = sig.args[0]
    address = _row_address(context, builder, kind, *args)
    return address if kind.kind.fields else _load(builder, address, kind)


@lower_builtin(operator.setitem, TableType, types.int64, types.Any)
def _set_number(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    kind = sig.args[0]
    if kind.field not in unrecorded:
        _store(builder, _row_address(context, builder, kind, *args[:2]), kind, args[2])
    return context.get_dummy_value()


@lower_builtin(operator.setitem, TableType, types.int64, RowType)
def _copy_row(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    kind = sig.args[0]
    row = ir.VectorType(INT64, kind.kind.itemsize // 8).as_pointer()
    value = builder.load(builder.bitcast(args[2], row), align=8)
    place = _row_address(context, builder, kind, *args[:2])
    for access in (value, builder.store(value, builder.bitcast(place, row), align=8)):
        _tell_apart(builder, access, kind)
    return context.get_dummy_value()


@lower_builtin(len, TableType)
def _get_length(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    return cgutils.create_struct_proxy(sig.args[0])(context, builder, value=args[0]).size


@intrinsic
def _prefetch(typingctx: Any, table: Any, index: Any) -> Any:
    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        whole = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [POINTER, whole, whole, whole])
        ask = builder.module.declare_intrinsic("llvm.prefetch", [POINTER], kind)
        builder.call(ask, [_row_address(context, builder, sig.args[0], *args), whole(0), whole(3), whole(1)])
        return context.get_dummy_value()

    return types.none(table, types.int64), generate


def _no_prefetch(table: Any, index: int) -> None:
    pass


prefetch: Callable[[Any, int], None] = _no_prefetch if config.DISABLE_JIT else cast(Any, _prefetch)
"""Has the processor fetch a row that is wanted soon; nothing is read yet, so any index will do."""


# --- a field of a row -----------------------------------------------------------------------------------------


@infer_getattr
class _RowAttribute(AttributeTemplate):
    key = RowType

    def generic_resolve(self, row: Any, name: str) -> Any:
        fields = row.kind.fields
        return _number(fields[name][0]) if name in fields else None


@lower_getattr_generic(RowType)
def _get_field(context: Any, builder: Any, kind: Any, row: Any, name: str) -> Any:
    return _load(builder, builder.gep(row, [INT64(kind.kind.fields[name][1])]), kind, name)


@lower_setattr_generic(RowType)
def _set_field(context: Any, builder: Any, sig: Any, args: Any, name: str) -> None:
    row, value = args
    kind = sig.args[0]
    if f"{kind.field}.{name}" not in unrecorded:
        _store(builder, builder.gep(row, [INT64(kind.kind.fields[name][1])]), kind, value, name)


# --- a number in memory ---------------------------------------------------------------------------------------


def _memory_type(kind: Any, name: str) -> tuple[np.dtype[Any], Any]:
    form = kind.kind.fields[name][0] if name else kind.kind
    return form, ir.DoubleType() if form.kind == "f" else ir.IntType(8 * form.itemsize)


def _load(builder: Any, address: Any, kind: Any, name: str = "") -> Any:
    form, memory = _memory_type(kind, name)
    value = builder.load(builder.bitcast(address, memory.as_pointer()))
    _tell_apart(builder, value, kind, name)
    return builder.sext(value, INT64) if form.kind == "i" and form.itemsize < 8 else value


def _store(builder: Any, address: Any, kind: Any, value: Any, name: str = "") -> None:
    form, memory = _memory_type(kind, name)
    if form.kind == "i" and form.itemsize < 8:
        value = builder.trunc(value, memory)
    _tell_apart(builder, builder.store(value, builder.bitcast(address, memory.as_pointer())), kind, name)


def _tell_apart(builder: Any, access: Any, kind: Any, name: str = "") -> None:
    """Tell the compiler that what is read or written here changes no other table, nor another field of this one.

    LLVM has this for the types of C ("tbaa"): a tree in which only an ancestor may be the same memory.
    """
    if kind.field in kind.of.shared:
        return
    module = builder.module
    node = module.add_metadata([ir.MetaDataString(module, kind.of.__name__)])
    for part in (kind.field, name):
        if part:
            node = module.add_metadata([ir.MetaDataString(module, part), node, INT64(0)])
    access.set_metadata("tbaa", module.add_metadata([node, node, INT64(0)]))

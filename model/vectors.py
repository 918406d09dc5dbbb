"""What the compiler does not do by itself: eight numbers at once that lie side by side in an array; asking memory for what is read soon.

Each lane is an operation of its own, of whole numbers or of IEEE 754 rounded once, so the bits are those of eight scalars; a processor
without vectors of eight does them in several steps.

What it is worth, in processor time of whole runs against plain loops, by turns, the least of eleven and of five: eight numbers at once 5 %
of the pilot, asking memory ahead 8 to 10 % of a system of 249,750 schools.
"""

from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

__all__ = ["fetch", "weighted_sum_8"]

_INT, _VECTOR = ir.IntType(64), ir.VectorType(ir.DoubleType(), 8)


def _address(context: Any, builder: Any, array_type: Any, array: Any, position: Any) -> Any:
    return builder.gep(context.make_array(array_type)(context, builder, array).data, [position])


def _eight(builder: Any, address: Any) -> Any:
    return builder.bitcast(address, _VECTOR.as_pointer())


def _times(builder: Any, number: Any, vector: Any) -> Any:
    undefined = ir.Constant(_VECTOR, ir.Undefined)
    first = builder.insert_element(undefined, number, ir.Constant(ir.IntType(32), 0))
    everywhere = builder.shuffle_vector(first, undefined, ir.Constant(ir.VectorType(ir.IntType(32), 8), [0] * 8))
    return builder.fmul(everywhere, vector)


@intrinsic
def weighted_sum_8(_typing: Any, to: Any, at: Any, values: Any, peers: Any, row: Any) -> Any:
    """Set ``to[at + k]`` to the weighted sum of ``values[8 * peer + k]`` over the peers of a row, for k = 0..7.

    ``peers`` are ``peer_start``, ``peer``, ``row_weight`` and ``weight`` of a world; where ``weight`` is empty each weight is 1. ``to`` and
    ``values``: float64, of one axis.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        to_, at_, values_, peers_, row_ = arguments
        to_type, _, values_type, peers_type, _ = signature.args
        start, column, factor, weight = zip(peers_type.types, cgutils.unpack_tuple(builder, peers_), strict=True)

        def read(array: Any, position: Any) -> Any:
            return builder.load(_address(context, builder, array[0], array[1], position))

        weighted = builder.icmp_signed(">", context.make_array(weight[0])(context, builder, weight[1]).nitems, ir.Constant(_INT, 0))
        begin, end = read(start, row_), read(start, builder.add(row_, ir.Constant(_INT, 1)))
        total = cgutils.alloca_once_value(builder, ir.Constant(_VECTOR, [0.0] * 8))
        with cgutils.for_range_slice(builder, begin, end, ir.Constant(_INT, 1), inc=True) as (a, _):
            first = builder.mul(builder.zext(read(column, a), _INT), ir.Constant(_INT, 8))
            one = builder.load(_eight(builder, _address(context, builder, values_type, values_, first)), align=8)
            summand = cgutils.alloca_once_value(builder, one)
            with builder.if_then(weighted):
                builder.store(_times(builder, read(weight, a), one), summand)
            builder.store(builder.fadd(builder.load(total), builder.load(summand)), total)
        target = _eight(builder, _address(context, builder, to_type, to_, at_))
        builder.store(_times(builder, read(factor, row_), builder.load(total)), target, align=8)
        return context.get_dummy_value()

    return types.void(to, types.int64, values, peers, types.int64), generate


@intrinsic
def fetch(_typing: Any, values: Any, at: Any) -> Any:
    """Ask memory for the line that holds ``values[at]``, without waiting for it; changes nothing."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        address = builder.bitcast(_address(context, builder, signature.args[0], *arguments), ir.IntType(8).as_pointer())
        flag = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [address.type, flag, flag, flag])
        function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0i8")
        to_read, keep, data = (ir.Constant(flag, value) for value in (0, 3, 1))
        builder.call(function, [address, to_read, keep, data])
        return context.get_dummy_value()

    return types.void(values, types.int64), generate

package gunyah.arm64.fp;

import gunyah.arm64.decode.Semantics;
import gunyah.arm64.state.CpuState;

/** Elements of V registers, and the shapes in which an operation on elements becomes an instruction's meaning. */
final class Lanes {
    private Lanes() {
    }

    /** An operation on one element. Operands are zero extended; excess bits of the result are dropped. */
    @FunctionalInterface
    interface LaneOp {
        long apply(CpuState s, int size, long d, long n, long m);
    }

    /** An operation on all elements of one 64-bit half. */
    @FunctionalInterface
    interface HalfOp {
        long apply(CpuState s, int size, long d, long n, long m);
    }

    /** {@return ones in one element of {@code 1 << size} bytes} */
    static long mask(int size) {
        return -1L >>> 64 - (8 << size);
    }

    /** {@return 1 in every element of a half} */
    static long ones(int size) {
        return switch (size) {
            case 0 -> 0x0101_0101_0101_0101L;
            case 1 -> 0x0001_0001_0001_0001L;
            case 2 -> 0x0000_0001_0000_0001L;
            default -> 1;
        };
    }

    /** {@return the top bit of every element of a half} */
    static long tops(int size) {
        return ones(size) << (8 << size) - 1;
    }

    /** {@return the element, sign extended to 64 bits} */
    static long sx(long element, int size) {
        int unused = 64 - (8 << size);
        return element << unused >> unused;
    }

    /** {@return element {@code index} of V{@code reg}, zero extended} */
    static long get(long[] v, int reg, int size, int index) {
        int bit = index << size + 3;
        return v[2 * reg + (bit >>> 6)] >>> bit & mask(size);
    }

    /** Replaces element {@code index} of V{@code reg}. */
    static void set(long[] v, int reg, int size, int index, long value) {
        int bit = index << size + 3;
        int at = 2 * reg + (bit >>> 6);
        long mask = mask(size) << bit;
        v[at] = v[at] & ~mask | value << bit & mask;
    }

    static HalfOp each(LaneOp op) {
        return (s, size, d, n, m) -> {
            int width = 8 << size;
            long mask = mask(size);
            long result = 0;
            for (int bit = 0; bit < 64; bit += width) {
                result |= (op.apply(s, size, d >>> bit & mask, n >>> bit & mask, m >>> bit & mask) & mask) << bit;
            }
            return result;
        };
    }

    /** Both halves of Vd from those of Vd, Vn and Vm; Q in {@code b}. */
    static Semantics vector(HalfOp op) {
        return (cpu, i) -> {
            long[] v = cpu.v;
            int d = 2 * i.rd;
            int n = 2 * i.rn;
            int m = 2 * i.rm;
            long low = op.apply(cpu.s, i.a, v[d], v[n], v[m]);
            v[d + 1] = i.b == 0 ? 0 : op.apply(cpu.s, i.a, v[d + 1], v[n + 1], v[m + 1]);
            v[d] = low;
        };
    }

    /** Element 0 only; the rest of Vd becomes zero. */
    static Semantics scalar(LaneOp op) {
        return (cpu, i) -> {
            long[] v = cpu.v;
            long mask = mask(i.a);
            v[2 * i.rd] = mask & op.apply(cpu.s, i.a, v[2 * i.rd] & mask, v[2 * i.rn] & mask, v[2 * i.rm] & mask);
            v[2 * i.rd + 1] = 0;
        };
    }

    /** As {@link #vector}, the last operand being element {@code c} of Vm everywhere. */
    static Semantics vectorByElement(HalfOp op) {
        return (cpu, i) -> {
            long[] v = cpu.v;
            int d = 2 * i.rd;
            int n = 2 * i.rn;
            long m = LaneArithmetic.replicate(i.a, get(v, i.rm, i.a, i.c));
            long low = op.apply(cpu.s, i.a, v[d], v[n], m);
            v[d + 1] = i.b == 0 ? 0 : op.apply(cpu.s, i.a, v[d + 1], v[n + 1], m);
            v[d] = low;
        };
    }

    /** As {@link #scalar}, the last operand being element {@code c} of Vm. */
    static Semantics scalarByElement(LaneOp op) {
        return (cpu, i) -> {
            long[] v = cpu.v;
            long mask = mask(i.a);
            long m = get(v, i.rm, i.a, i.c);
            v[2 * i.rd] = mask & op.apply(cpu.s, i.a, v[2 * i.rd] & mask, v[2 * i.rn] & mask, m);
            v[2 * i.rd + 1] = 0;
        };
    }

    /** Adjacent pairs of Vn followed by those of Vm: {@code op} gets the even elements and the odd ones. */
    static Semantics pairwise(HalfOp op) {
        return (cpu, i) -> {
            long[] v = cpu.v;
            int n = 2 * i.rn;
            int m = 2 * i.rm;
            long low = i.b == 0 ? pairs(op, cpu.s, i.a, v[n], v[m]) : pairs(op, cpu.s, i.a, v[n], v[n + 1]);
            v[2 * i.rd + 1] = i.b == 0 ? 0 : pairs(op, cpu.s, i.a, v[m], v[m + 1]);
            v[2 * i.rd] = low;
        };
    }

    private static long pairs(HalfOp op, CpuState s, int size, long low, long high) {
        if (size == 3) {
            return op.apply(s, 3, 0, low, high);
        }
        return op.apply(s, size, 0, evens(size, low, high), evens(size, low >>> (8 << size), high >>> (8 << size)));
    }

    /** {@return the even elements of {@code low} followed by those of {@code high}} Sizes up to 2. */
    static long evens(int size, long low, long high) {
        return evens(size, low) | evens(size, high) << 32;
    }

    /** {@return the even elements of a half, in the low 32 bits} Sizes up to 2. */
    static long evens(int size, long half) {
        long packed = half & LaneArithmetic.replicate(size + 1, mask(size));
        for (int log2 = size; log2 < 2; log2++) {
            packed = (packed | packed >>> (8 << log2)) & LaneArithmetic.replicate(log2 + 2, mask(log2 + 1));
        }
        return packed;
    }
}

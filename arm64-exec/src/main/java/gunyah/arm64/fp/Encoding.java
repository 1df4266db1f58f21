package gunyah.arm64.fp;

import gunyah.arm64.decode.Insn;
import gunyah.arm64.decode.InstructionRow;
import gunyah.arm64.decode.InstructionRow.Fields;
import gunyah.arm64.decode.Semantics;
import gunyah.arm64.state.CpuState;
import java.util.List;

/**
 * How rows of this package are written. Patterns may hold blanks between fields. Letters: {@code d n m a t} are V
 * registers, {@code D N M T} general registers; {@code Q z} the vector width and element size; others as the manual
 * names them.
 */
final class Encoding {
    static final String FP16 = "FEAT_FP16";

    private Encoding() {
    }

    static InstructionRow row(String name, String pattern, Fields fields, Semantics semantics) {
        return row(name, "", pattern, fields, semantics);
    }

    static InstructionRow row(String name, String feature, String pattern, Fields fields, Semantics semantics) {
        return new InstructionRow(name, pattern.replace(" ", ""), feature, 0, false, fields, semantics);
    }

    /** The low {@code width} bits of {@code value} as a pattern. */
    static String binary(int value, int width) {
        return Integer.toBinaryString(1 << width | value & (1 << width) - 1).substring(1);
    }

    /** Vd, Vn, Vm; size in {@code a}, Q in {@code b}. Size 3 with Q = 0 is reserved. */
    static boolean vector(Insn i) {
        scalar(i);
        i.b = i.bits(30, 1);
        return i.a != 3 || i.b != 0;
    }

    /** As {@link #vector}; size 3 is reserved. */
    static boolean vectorUpTo32(Insn i) {
        return vector(i) && i.a != 3;
    }

    /** As {@link #vector}; only 16 and 32-bit elements. */
    static boolean vector16And32(Insn i) {
        return vectorUpTo32(i) && i.a != 0;
    }

    /** As {@link #vector} for two element sizes, {@code a} being the narrow one: not 3. */
    static boolean narrow(Insn i) {
        vector(i);
        return i.a != 3;
    }

    /** Vd, Vn, Vm; size in {@code a}. */
    static boolean scalar(Insn i) {
        i.rd = i.bits(0, 5);
        i.rn = i.bits(5, 5);
        i.rm = i.bits(16, 5);
        i.a = i.bits(22, 2);
        return true;
    }

    /** As {@link #scalar}; only 16 and 32-bit elements. */
    static boolean scalar16And32(Insn i) {
        return scalar(i) && (i.a == 1 || i.a == 2);
    }

    /** As {@link #scalar}; only 64-bit elements. */
    static boolean scalar64(Insn i) {
        return scalar(i) && i.a == 3;
    }

    /** A row for single and double precision and one for half precision (FEAT_FP16), told apart by the type field. */
    static void typed(List<InstructionRow> rows, String name, String before, String after, Fields fields,
            Semantics semantics) {
        rows.add(row(name, before + " 0z " + after, fields, semantics));
        rows.add(row(name + "_h", FP16, before + " 11 " + after, fields, semantics));
    }

    /** Vd, Vn, Vm, with the type field in bits 23:22: {@code a} = 2, 3 or (type 3) 1. */
    static boolean scalarTyped(Insn i) {
        scalar(i);
        i.a = i.a == 3 ? 1 : 2 + i.a;
        return i.a <= 3;
    }

    /** Vd, Vn, Vm of 16-bit elements: {@code a} = 1; Q in {@code b}. */
    static boolean half(Insn i) {
        scalar(i);
        i.a = 1;
        i.b = i.bits(30, 1);
        return true;
    }

    /** Vd, Vn, Vm, with the floating-point size bit 22: {@code a} = 2 or 3; Q in {@code b}. */
    static boolean vectorFp(Insn i) {
        scalarFp(i);
        i.b = i.bits(30, 1);
        return i.a == 2 || i.b != 0;
    }

    /** Vd, Vn, Vm, with the floating-point size bit 22: {@code a} = 2 or 3. */
    static boolean scalarFp(Insn i) {
        scalar(i);
        i.a = 2 + i.bits(22, 1);
        return true;
    }

    /** {@return the index to read general register {@code field}, 31 being the zero register} */
    static int xRead(int field) {
        return field == 31 ? CpuState.ZR_READ : field;
    }

    /** {@return the index to write general register {@code field}, 31 being the zero register} */
    static int xWrite(int field) {
        return field == 31 ? CpuState.ZR_WRITE : field;
    }
}

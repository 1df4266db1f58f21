package gunyah.arm64.fp;

import static gunyah.arm64.fp.Encoding.binary;
import static gunyah.arm64.fp.Encoding.row;
import static gunyah.arm64.fp.Encoding.typed;
import static gunyah.arm64.fp.Encoding.xRead;
import static gunyah.arm64.fp.Encoding.xWrite;

import gunyah.arm64.Cpu;
import gunyah.arm64.decode.Insn;
import gunyah.arm64.decode.InstructionRow;
import java.util.ArrayList;
import java.util.List;

/**
 * Conversion between floating point and general registers, as integers and as fixed point, and FMOV (general) (Arm ARM
 * C4.1.96). {@code a} is 1 for half, 2 for single and 3 for double precision, {@code b} sf, {@code c} the fraction
 * bits.
 */
final class FpIntegerConversion {
    static final List<InstructionRow> ROWS = rows();

    private FpIntegerConversion() {
    }

    private static List<InstructionRow> rows() {
        List<InstructionRow> rows = new ArrayList<>();
        toInteger(rows, "FCVTN", 0b00, 0b000, SoftFloat.TIE_EVEN);
        toInteger(rows, "FCVTA", 0b00, 0b100, SoftFloat.TIE_AWAY);
        toInteger(rows, "FCVTP", 0b01, 0b000, SoftFloat.TO_PLUS);
        toInteger(rows, "FCVTM", 0b10, 0b000, SoftFloat.TO_MINUS);
        toInteger(rows, "FCVTZ", 0b11, 0b000, SoftFloat.TO_ZERO);
        for (int unsigned = 0; unsigned < 2; unsigned++) {
            boolean u = unsigned == 1;
            String from = u ? "UCVTF_float" : "SCVTF_float";
            typed(rows, from + "_int", "s0011110", "1 00 01" + unsigned + " 000000 NNNNN ddddd",
                    FpIntegerConversion::fromX, (cpu, i) -> fromX(cpu, i, u));
            typed(rows, from + "_fix", "s0011110", "0 00 01" + unsigned + " iiiiii NNNNN ddddd",
                    i -> fromX(i) && fixed(i), (cpu, i) -> fromX(cpu, i, u));
            typed(rows, u ? "FCVTZU_float_fix" : "FCVTZS_float_fix", "s0011110",
                    "0 11 00" + unsigned + " iiiiii nnnnn DDDDD", i -> toX(i) && fixed(i),
                    (cpu, i) -> toX(cpu, i, u, SoftFloat.TO_ZERO));
        }
        rows.add(row("FMOV_float_gen_WS", "00011110 00 1 00 110 000000 nnnnn DDDDD", FpIntegerConversion::toX,
                (cpu, i) -> cpu.x[i.rd] = cpu.v[2 * i.rn] & 0xFFFF_FFFFL));
        rows.add(row("FMOV_float_gen_SW", "00011110 00 1 00 111 000000 NNNNN ddddd", FpIntegerConversion::fromX,
                (cpu, i) -> write(cpu, i, cpu.x[i.rn] & 0xFFFF_FFFFL)));
        rows.add(row("FMOV_float_gen_XD", "10011110 01 1 00 110 000000 nnnnn DDDDD", FpIntegerConversion::toX,
                (cpu, i) -> cpu.x[i.rd] = cpu.v[2 * i.rn]));
        rows.add(row("FMOV_float_gen_DX", "10011110 01 1 00 111 000000 NNNNN ddddd", FpIntegerConversion::fromX,
                (cpu, i) -> write(cpu, i, cpu.x[i.rn])));
        rows.add(row("FMOV_float_gen_XV", "10011110 10 1 01 110 000000 nnnnn DDDDD", FpIntegerConversion::toX,
                (cpu, i) -> cpu.x[i.rd] = cpu.v[2 * i.rn + 1]));
        rows.add(row("FMOV_float_gen_VX", "10011110 10 1 01 111 000000 NNNNN ddddd", FpIntegerConversion::fromX,
                (cpu, i) -> cpu.v[2 * i.rd + 1] = cpu.x[i.rn]));
        rows.add(row("FMOV_float_gen_toH", Encoding.FP16, "s0011110 11 1 00 111 000000 NNNNN ddddd",
                FpIntegerConversion::fromX, (cpu, i) -> write(cpu, i, cpu.x[i.rn] & 0xFFFF)));
        rows.add(row("FMOV_float_gen_fromH", Encoding.FP16, "s0011110 11 1 00 110 000000 nnnnn DDDDD",
                FpIntegerConversion::toX, (cpu, i) -> cpu.x[i.rd] = cpu.v[2 * i.rn] & 0xFFFF));
        rows.add(row("FJCVTZS", "FEAT_JSCVT", "00011110 01 1 11 110 000000 nnnnn DDDDD", FpIntegerConversion::toX,
                FpIntegerConversion::toJavaScript));
        return rows;
    }

    private static void toInteger(List<InstructionRow> rows, String name, int rmode, int opcode, int mode) {
        for (int unsigned = 0; unsigned < 2; unsigned++) {
            boolean u = unsigned == 1;
            typed(rows, name + (u ? "U" : "S") + "_float_int", "s0011110", "1 " + binary(rmode, 2) + " "
                    + binary(opcode | unsigned, 3) + " 000000 nnnnn DDDDD", FpIntegerConversion::toX,
                    (cpu, i) -> toX(cpu, i, u, mode));
        }
    }

    private static boolean toX(Insn i) {
        Encoding.scalarTyped(i);
        i.rd = xWrite(i.rd);
        i.b = i.bits(31, 1);
        return true;
    }

    private static boolean fromX(Insn i) {
        Encoding.scalarTyped(i);
        i.rn = xRead(i.rn);
        i.b = i.bits(31, 1);
        return true;
    }

    private static boolean fixed(Insn i) {
        i.c = 64 - i.bits(10, 6);
        return i.b == 1 || i.c <= 32;
    }

    private static void toX(Cpu cpu, Insn i, boolean unsigned, int mode) {
        long value = cpu.v[2 * i.rn] & Lanes.mask(i.a);
        cpu.x[i.rd] = FpConversion.toFixed(cpu.s, i.a, value, i.c, unsigned, 32 << i.b, mode);
    }

    private static void fromX(Cpu cpu, Insn i, boolean unsigned) {
        long x = cpu.x[i.rn];
        long value = i.b == 1 ? x : unsigned ? x & 0xFFFF_FFFFL : (int) x;
        write(cpu, i, FpConversion.fromFixed(cpu.s, i.a, value, i.c, unsigned));
    }

    private static void toJavaScript(Cpu cpu, Insn i) {
        long result = FpConversion.toJavaScript(cpu.s, cpu.v[2 * i.rn]);
        cpu.x[i.rd] = result & 0xFFFF_FFFFL;
        cpu.s.nzcv = (int) (result >>> 32) << 30;
    }

    private static void write(Cpu cpu, Insn i, long value) {
        cpu.v[2 * i.rd] = value;
        cpu.v[2 * i.rd + 1] = 0;
    }
}

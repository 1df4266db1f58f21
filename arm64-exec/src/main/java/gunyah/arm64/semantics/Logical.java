package gunyah.arm64.semantics;

import static gunyah.arm64.semantics.Rows.LOW;
import static gunyah.arm64.semantics.Rows.generalRegisters;
import static gunyah.arm64.semantics.Rows.rdField;
import static gunyah.arm64.semantics.Rows.row;
import static gunyah.arm64.semantics.Rows.xOrSp;
import static gunyah.arm64.state.CpuState.ZR_READ;

import gunyah.arm64.Cpu;
import gunyah.arm64.decode.Insn;
import gunyah.arm64.decode.InstructionRow;
import gunyah.arm64.decode.Ops;
import java.util.List;

/**
 * Logical operations (C4.1.92 immediate, C4.1.95 shifted register). Operands: {@code imm} the expanded bit mask, or
 * shift type {@code b} and amount {@code a}.
 */
public final class Logical {
    static final List<InstructionRow> ROWS = List.of(
            row("AND_imm", "z 00 100100 N rrrrrr ssssss nnnnn ddddd",
                    insn -> immediate(insn, true, Ops.AND_IMM, Ops.AND_IMM),
                    (cpu, insn) -> set(cpu, insn, cpu.x[insn.rn] & insn.imm)),
            row("ORR_imm", "z 01 100100 N rrrrrr ssssss nnnnn ddddd",
                    insn -> immediate(insn, true, Ops.ORR_IMM_X, Ops.ORR_IMM_W),
                    (cpu, insn) -> set(cpu, insn, cpu.x[insn.rn] | insn.imm)),
            row("EOR_imm", "z 10 100100 N rrrrrr ssssss nnnnn ddddd",
                    insn -> immediate(insn, true, Ops.EOR_IMM_X, Ops.EOR_IMM_W),
                    (cpu, insn) -> set(cpu, insn, cpu.x[insn.rn] ^ insn.imm)),
            row("ANDS_imm", "z 11 100100 N rrrrrr ssssss nnnnn ddddd",
                    insn -> immediate(insn, false, Ops.ANDS_IMM_X, Ops.ANDS_IMM_W),
                    (cpu, insn) -> setFlags(cpu, insn, cpu.x[insn.rn] & insn.imm)),
            row("AND_shift", "z 00 01010 ss 0 mmmmm iiiiii nnnnn ddddd",
                    insn -> shifted(insn, Ops.AND_LSL_X, Ops.AND_LSL_W),
                    (cpu, insn) -> set(cpu, insn, cpu.x[insn.rn] & operand(cpu, insn))),
            row("BIC_shift", "z 00 01010 ss 1 mmmmm iiiiii nnnnn ddddd",
                    insn -> shifted(insn, Ops.BIC_LSL_X, Ops.BIC_LSL_W),
                    (cpu, insn) -> set(cpu, insn, cpu.x[insn.rn] & ~operand(cpu, insn))),
            row("ORR_shift", "z 01 01010 ss 0 mmmmm iiiiii nnnnn ddddd", Logical::orr,
                    (cpu, insn) -> set(cpu, insn, cpu.x[insn.rn] | operand(cpu, insn))),
            row("ORN_shift", "z 01 01010 ss 1 mmmmm iiiiii nnnnn ddddd",
                    insn -> shifted(insn, Ops.CALL, Ops.CALL),
                    (cpu, insn) -> set(cpu, insn, cpu.x[insn.rn] | ~operand(cpu, insn))),
            row("EOR_shift", "z 10 01010 ss 0 mmmmm iiiiii nnnnn ddddd",
                    insn -> shifted(insn, Ops.EOR_LSL_X, Ops.EOR_LSL_W, Ops.EOR_SHIFT_X, Ops.EOR_SHIFT_W),
                    (cpu, insn) -> set(cpu, insn, cpu.x[insn.rn] ^ operand(cpu, insn))),
            row("EON_shift", "z 10 01010 ss 1 mmmmm iiiiii nnnnn ddddd",
                    insn -> shifted(insn, Ops.CALL, Ops.CALL),
                    (cpu, insn) -> set(cpu, insn, cpu.x[insn.rn] ^ ~operand(cpu, insn))),
            row("ANDS_shift", "z 11 01010 ss 0 mmmmm iiiiii nnnnn ddddd",
                    insn -> shifted(insn, Ops.ANDS_LSL_X, Ops.ANDS_LSL_W),
                    (cpu, insn) -> setFlags(cpu, insn, cpu.x[insn.rn] & operand(cpu, insn))),
            row("BICS_shift", "z 11 01010 ss 1 mmmmm iiiiii nnnnn ddddd",
                    insn -> shifted(insn, Ops.CALL, Ops.CALL),
                    (cpu, insn) -> setFlags(cpu, insn, cpu.x[insn.rn] & ~operand(cpu, insn))));

    private Logical() {
    }

    /**
     * Expands a bit mask immediate (DecodeBitMasks, "wmask").
     *
     * @return the mask, replicated to 64 bits, or 0 when the encoding is reserved (no mask is 0)
     */
    public static long bitMask(int n, int imms, int immr) {
        int length = 31 - Integer.numberOfLeadingZeros(n << 6 | ~imms & 63);
        if (length < 1) {
            return 0;
        }
        int size = 1 << length;
        int ones = (imms & size - 1) + 1;
        int rotation = immr & size - 1;
        if (ones == size) {
            return 0;
        }
        long element = (1L << ones) - 1;
        long elementMask = size == 64 ? -1 : (1L << size) - 1;
        element = (element >>> rotation | element << size - rotation) & elementMask;
        if (rotation == 0) {
            element = (1L << ones) - 1;
        }
        for (int filled = size; filled < 64; filled *= 2) {
            element |= element << filled;
        }
        return element;
    }

    private static boolean immediate(Insn insn, boolean toStackPointer, int op64, int op32) {
        generalRegisters(insn);
        if (toStackPointer) {
            insn.rd = xOrSp(rdField(insn));
        }
        long mask = bitMask(insn.bits(22, 1), insn.bits(10, 6), insn.bits(16, 6));
        insn.imm = insn.c == 1 ? mask : mask & LOW;
        insn.op = insn.c == 1 ? op64 : op32;
        return mask != 0 && (insn.c == 1 || insn.bits(22, 1) == 0);
    }

    private static boolean shifted(Insn insn, int left64, int left32) {
        return shifted(insn, left64, left32, Ops.CALL, Ops.CALL);
    }

    private static boolean shifted(Insn insn, int left64, int left32, int other64, int other32) {
        generalRegisters(insn);
        insn.a = insn.bits(10, 6);
        insn.b = insn.bits(22, 2);
        if (insn.b == Shift.LSL) {
            insn.op = insn.c == 1 ? left64 : left32;
        } else {
            insn.op = insn.c == 1 ? other64 : other32;
        }
        return insn.c == 1 || insn.a < 32;
    }

    private static boolean orr(Insn insn) {
        boolean allocated = shifted(insn, Ops.ORR_LSL_X, Ops.ORR_LSL_W, Ops.ORR_SHIFT_X, Ops.ORR_SHIFT_W);
        if (insn.rn == ZR_READ && insn.a == 0) {
            insn.op = insn.c == 1 ? Ops.MOV_X : Ops.MOV_W;
        }
        return allocated;
    }

    private static long operand(Cpu cpu, Insn insn) {
        long value = cpu.x[insn.rm];
        return insn.c == 1 ? Shift.shift64(value, insn.b, insn.a) : Shift.shift32((int) value, insn.b, insn.a);
    }

    private static void set(Cpu cpu, Insn insn, long result) {
        cpu.x[insn.rd] = insn.c == 1 ? result : result & LOW;
    }

    private static void setFlags(Cpu cpu, Insn insn, long result) {
        cpu.s.nzcv = insn.c == 1 ? Flags.logical64(result) : Flags.logical32((int) result);
        set(cpu, insn, result);
    }
}

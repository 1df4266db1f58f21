package gunyah.arm64.semantics;

import static gunyah.arm64.semantics.Rows.LOW;
import static gunyah.arm64.semantics.Rows.rdField;
import static gunyah.arm64.semantics.Rows.rmField;
import static gunyah.arm64.semantics.Rows.rnField;
import static gunyah.arm64.semantics.Rows.row;
import static gunyah.arm64.semantics.Rows.xOrNowhere;
import static gunyah.arm64.semantics.Rows.xOrSp;
import static gunyah.arm64.semantics.Rows.xOrZr;

import gunyah.arm64.Cpu;
import gunyah.arm64.decode.Insn;
import gunyah.arm64.decode.InstructionRow;
import gunyah.arm64.decode.InstructionRow.Fields;
import gunyah.arm64.decode.Ops;
import java.util.ArrayList;
import java.util.List;

/**
 * Loads and stores of one general register: literal, unscaled, pre- and post-indexed, unsigned offset, register offset
 * and unprivileged (C4.1.94). A row exists for each of the eleven transfers and each addressing form.
 *
 * <p>Operands: {@code rd} the transfer register (to read or to write), {@code rn} the base, {@code c} the transfer. The
 * address is {@code rn + imm}; with write-back {@code rn + a}, after which {@code rn} grows by {@code b}; with register
 * offset {@code rm} extended by option {@code b} and shifted by {@code a}.
 */
final class LoadStore {
    /** The transfers, by their index in {@code c}: size, opc, name and interpreter numbers of three address forms. */
    private enum Transfer {
        STRB(0, 0, "STRB", Ops.STRB, Ops.STRB_REG, Ops.STRB_WB),
        LDRB(0, 1, "LDRB", Ops.LDRB, Ops.LDRB_REG, Ops.LDRB_WB),
        LDRSB_X(0, 2, "LDRSB_X", Ops.CALL, Ops.CALL, Ops.CALL),
        LDRSB_W(0, 3, "LDRSB_W", Ops.CALL, Ops.CALL, Ops.CALL),
        STRH(1, 0, "STRH", Ops.STRH, Ops.CALL, Ops.CALL),
        LDRH(1, 1, "LDRH", Ops.LDRH, Ops.LDRH_REG, Ops.CALL),
        LDRSH_X(1, 2, "LDRSH_X", Ops.CALL, Ops.CALL, Ops.CALL),
        LDRSH_W(1, 3, "LDRSH_W", Ops.CALL, Ops.CALL, Ops.CALL),
        STR_W(2, 0, "STR_W", Ops.STR_W, Ops.STR_W_REG, Ops.STR_W_WB),
        LDR_W(2, 1, "LDR_W", Ops.LDR_W, Ops.LDR_W_REG, Ops.LDR_W_WB),
        LDRSW(2, 2, "LDRSW", Ops.LDRSW, Ops.CALL, Ops.CALL),
        STR_X(3, 0, "STR_X", Ops.STR_X, Ops.STR_X_REG, Ops.STR_X_WB),
        LDR_X(3, 1, "LDR_X", Ops.LDR_X, Ops.LDR_X_REG, Ops.LDR_X_WB);

        final int size;
        final int opc;
        final String label;
        final int immediateOp;
        final int registerOp;
        final int writeBackOp;

        Transfer(int size, int opc, String label, int immediateOp, int registerOp, int writeBackOp) {
            this.size = size;
            this.opc = opc;
            this.label = label;
            this.immediateOp = immediateOp;
            this.registerOp = registerOp;
            this.writeBackOp = writeBackOp;
        }

        boolean isStore() {
            return opc == 0;
        }

        /** Size and opc as pattern text with the bits between them. */
        String pattern(String middle) {
            return bits(size) + middle + bits(opc);
        }

        private static String bits(int value) {
            return "" + (value >>> 1) + (value & 1);
        }
    }

    static final List<InstructionRow> ROWS = rows();

    private LoadStore() {
    }

    private static List<InstructionRow> rows() {
        List<InstructionRow> rows = new ArrayList<>();
        for (Transfer t : Transfer.values()) {
            rows.add(row(t.label + "_unsigned", t.pattern("111001") + "iiiiiiiiiiii nnnnn ttttt", unsigned(t),
                    LoadStore::offset));
            rows.add(row(t.label + "_unscaled", t.pattern("111000") + "0 iiiiiiiii 00 nnnnn ttttt", unscaled(t),
                    LoadStore::offset));
            rows.add(row(t.label + "_post", t.pattern("111000") + "0 iiiiiiiii 01 nnnnn ttttt", postIndexed(t),
                    LoadStore::writeBack));
            rows.add(row(t.label + "_unprivileged", t.pattern("111000") + "0 iiiiiiiii 10 nnnnn ttttt",
                    insn -> unscaledOperands(insn, t), LoadStore::unprivileged));
            rows.add(row(t.label + "_pre", t.pattern("111000") + "0 iiiiiiiii 11 nnnnn ttttt", preIndexed(t),
                    LoadStore::writeBack));
            rows.add(row(t.label + "_reg", t.pattern("111000") + "1 mmmmm ooo S 10 nnnnn ttttt",
                    registerOffset(t), LoadStore::registerOffset));
        }
        rows.add(row("PRFM_imm", "11 111 0 01 10 iiiiiiiiiiii nnnnn ttttt", LoadStore::prefetch, (cpu, insn) -> { }));
        rows.add(row("PRFM_unscaled", "11 111 0 00 10 0 iiiiiiiii 00 nnnnn ttttt", LoadStore::prefetch,
                (cpu, insn) -> { }));
        rows.add(row("PRFM_reg", "11 111 0 00 10 1 mmmmm o1o S 10 nnnnn ttttt", LoadStore::prefetch,
                (cpu, insn) -> { }));
        rows.add(row("PRFM_literal", "11 011 0 00 iiiiiiiiiiiiiiiiiii ttttt", LoadStore::prefetch,
                (cpu, insn) -> { }));
        rows.add(row("LDR_W_literal", "00 011 0 00 iiiiiiiiiiiiiiiiiii ttttt", literal(Transfer.LDR_W),
                LoadStore::literal));
        rows.add(row("LDR_X_literal", "01 011 0 00 iiiiiiiiiiiiiiiiiii ttttt", literal(Transfer.LDR_X),
                LoadStore::literal));
        rows.add(row("LDRSW_literal", "10 011 0 00 iiiiiiiiiiiiiiiiiii ttttt", literal(Transfer.LDRSW),
                LoadStore::literal));
        return List.copyOf(rows);
    }

    private static boolean prefetch(Insn insn) {
        insn.op = Ops.NOP;
        return true;
    }

    private static void operands(Insn insn, Transfer transfer) {
        insn.rd = transfer.isStore() ? xOrZr(rdField(insn)) : xOrNowhere(rdField(insn));
        insn.rn = xOrSp(rnField(insn));
        insn.c = transfer.ordinal();
    }

    private static Fields unsigned(Transfer transfer) {
        return insn -> {
            operands(insn, transfer);
            insn.imm = (long) insn.bits(10, 12) << transfer.size;
            insn.op = transfer.immediateOp;
            return true;
        };
    }

    private static boolean unscaledOperands(Insn insn, Transfer transfer) {
        operands(insn, transfer);
        insn.imm = insn.signedBits(12, 9);
        return true;
    }

    private static Fields unscaled(Transfer transfer) {
        return insn -> {
            insn.op = transfer.immediateOp;
            return unscaledOperands(insn, transfer);
        };
    }

    private static Fields postIndexed(Transfer transfer) {
        return insn -> {
            operands(insn, transfer);
            insn.b = insn.signedBits(12, 9);
            insn.op = transfer.writeBackOp;
            return true;
        };
    }

    private static Fields preIndexed(Transfer transfer) {
        return insn -> {
            operands(insn, transfer);
            insn.b = insn.signedBits(12, 9);
            insn.a = insn.b;
            insn.op = transfer.writeBackOp;
            return true;
        };
    }

    private static Fields registerOffset(Transfer transfer) {
        return insn -> {
            operands(insn, transfer);
            insn.rm = xOrZr(rmField(insn));
            insn.b = insn.bits(13, 3);
            insn.a = insn.bits(12, 1) * transfer.size;
            insn.op = transfer.registerOp;
            return (insn.b & 2) != 0;
        };
    }

    private static Fields literal(Transfer transfer) {
        return insn -> {
            operands(insn, transfer);
            insn.imm = insn.signedBits(5, 19) * 4L;
            return true;
        };
    }

    private static final Transfer[] TRANSFERS = Transfer.values();

    private static long load(Cpu cpu, Transfer transfer, long va) {
        return switch (transfer) {
            case LDRB -> cpu.mmu.read8(va);
            case LDRSB_X -> (byte) cpu.mmu.read8(va);
            case LDRSB_W -> (byte) cpu.mmu.read8(va) & LOW;
            case LDRH -> cpu.mmu.read16(va);
            case LDRSH_X -> (short) cpu.mmu.read16(va);
            case LDRSH_W -> (short) cpu.mmu.read16(va) & LOW;
            case LDR_W -> cpu.mmu.read32(va) & LOW;
            case LDRSW -> cpu.mmu.read32(va);
            default -> cpu.mmu.read64(va);
        };
    }

    private static void store(Cpu cpu, Transfer transfer, long va, long value) {
        switch (transfer.size) {
            case 0 -> cpu.mmu.write8(va, (int) value);
            case 1 -> cpu.mmu.write16(va, (int) value);
            case 2 -> cpu.mmu.write32(va, (int) value);
            default -> cpu.mmu.write64(va, value);
        }
    }

    private static void transfer(Cpu cpu, Insn insn, long va) {
        Transfer transfer = TRANSFERS[insn.c];
        if (transfer.isStore()) {
            store(cpu, transfer, va, cpu.x[insn.rd]);
        } else {
            cpu.x[insn.rd] = load(cpu, transfer, va);
        }
    }

    private static void offset(Cpu cpu, Insn insn) {
        transfer(cpu, insn, cpu.x[insn.rn] + insn.imm);
    }

    private static void literal(Cpu cpu, Insn insn) {
        transfer(cpu, insn, cpu.s.pc + insn.imm);
    }

    private static void registerOffset(Cpu cpu, Insn insn) {
        transfer(cpu, insn, cpu.x[insn.rn] + Shift.extend(cpu.x[insn.rm], insn.b, insn.a));
    }

    /** A load into its own base (CONSTRAINED UNPREDICTABLE) keeps the loaded value. */
    private static void writeBack(Cpu cpu, Insn insn) {
        Transfer transfer = TRANSFERS[insn.c];
        long base = cpu.x[insn.rn];
        if (transfer.isStore()) {
            store(cpu, transfer, base + insn.a, cpu.x[insn.rd]);
            cpu.x[insn.rn] = base + insn.b;
        } else {
            long value = load(cpu, transfer, base + insn.a);
            cpu.x[insn.rn] = base + insn.b;
            cpu.x[insn.rd] = value;
        }
    }

    private static void unprivileged(Cpu cpu, Insn insn) {
        Transfer transfer = TRANSFERS[insn.c];
        long va = cpu.x[insn.rn] + insn.imm;
        if (transfer.isStore()) {
            cpu.mmu.writeUnprivileged(va, transfer.size, cpu.x[insn.rd]);
            return;
        }
        long value = cpu.mmu.readUnprivileged(va, transfer.size);
        cpu.x[insn.rd] = switch (transfer) {
            case LDRSB_X -> (byte) value;
            case LDRSB_W -> (byte) value & LOW;
            case LDRSH_X -> (short) value;
            case LDRSH_W -> (short) value & LOW;
            case LDRSW -> (int) value;
            default -> value;
        };
    }
}

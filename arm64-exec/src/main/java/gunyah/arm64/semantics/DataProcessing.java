package gunyah.arm64.semantics;

import static gunyah.arm64.semantics.Rows.LOW;
import static gunyah.arm64.semantics.Rows.gated;
import static gunyah.arm64.semantics.Rows.generalRegisters;
import static gunyah.arm64.semantics.Rows.row;
import static gunyah.arm64.semantics.Rows.xOrZr;

import gunyah.arm64.Cpu;
import gunyah.arm64.decode.Insn;
import gunyah.arm64.decode.InstructionRow;
import gunyah.arm64.decode.InstructionRow.Fields;
import gunyah.arm64.decode.Ops;
import java.util.List;

/** Data processing with one, two and three sources (C4.1.95). */
final class DataProcessing {
    static final List<InstructionRow> ROWS = List.of(
            row("UDIV", "z 0 0 11010110 mmmmm 000010 nnnnn ddddd", ops(Ops.CALL, Ops.CALL), DataProcessing::udiv),
            row("SDIV", "z 0 0 11010110 mmmmm 000011 nnnnn ddddd", ops(Ops.CALL, Ops.CALL), DataProcessing::sdiv),
            row("LSLV", "z 0 0 11010110 mmmmm 001000 nnnnn ddddd", ops(Ops.LSLV_X, Ops.LSLV_W),
                    (cpu, insn) -> shiftVariable(cpu, insn, Shift.LSL)),
            row("LSRV", "z 0 0 11010110 mmmmm 001001 nnnnn ddddd", ops(Ops.LSRV_X, Ops.LSRV_W),
                    (cpu, insn) -> shiftVariable(cpu, insn, Shift.LSR)),
            row("ASRV", "z 0 0 11010110 mmmmm 001010 nnnnn ddddd", ops(Ops.CALL, Ops.CALL),
                    (cpu, insn) -> shiftVariable(cpu, insn, Shift.ASR)),
            row("RORV", "z 0 0 11010110 mmmmm 001011 nnnnn ddddd", ops(Ops.CALL, Ops.CALL),
                    (cpu, insn) -> shiftVariable(cpu, insn, Shift.ROR)),
            gated("CRC32B", "FEAT_CRC32", "0 0 0 11010110 mmmmm 010000 nnnnn ddddd", ops(Ops.CALL, Ops.CALL),
                    (cpu, insn) -> crc(cpu, insn, Crc32::ieee8)),
            gated("CRC32H", "FEAT_CRC32", "0 0 0 11010110 mmmmm 010001 nnnnn ddddd", ops(Ops.CALL, Ops.CALL),
                    (cpu, insn) -> crc(cpu, insn, Crc32::ieee16)),
            gated("CRC32W", "FEAT_CRC32", "0 0 0 11010110 mmmmm 010010 nnnnn ddddd", ops(Ops.CALL, Ops.CALL),
                    (cpu, insn) -> crc(cpu, insn, Crc32::ieee32)),
            gated("CRC32X", "FEAT_CRC32", "1 0 0 11010110 mmmmm 010011 nnnnn ddddd", ops(Ops.CALL, Ops.CALL),
                    (cpu, insn) -> crc(cpu, insn, Crc32::ieee64)),
            gated("CRC32CB", "FEAT_CRC32", "0 0 0 11010110 mmmmm 010100 nnnnn ddddd", ops(Ops.CALL, Ops.CALL),
                    (cpu, insn) -> crc(cpu, insn, Crc32::castagnoli8)),
            gated("CRC32CH", "FEAT_CRC32", "0 0 0 11010110 mmmmm 010101 nnnnn ddddd", ops(Ops.CALL, Ops.CALL),
                    (cpu, insn) -> crc(cpu, insn, Crc32::castagnoli16)),
            gated("CRC32CW", "FEAT_CRC32", "0 0 0 11010110 mmmmm 010110 nnnnn ddddd", ops(Ops.CALL, Ops.CALL),
                    (cpu, insn) -> crc(cpu, insn, Crc32::castagnoli32)),
            gated("CRC32CX", "FEAT_CRC32", "1 0 0 11010110 mmmmm 010111 nnnnn ddddd", ops(Ops.CALL, Ops.CALL),
                    (cpu, insn) -> crc(cpu, insn, Crc32::castagnoli64)),
            row("RBIT", "z 1 0 11010110 00000 000000 nnnnn ddddd", ops(Ops.CALL, Ops.CALL),
                    (cpu, insn) -> set(cpu, insn, insn.c == 1 ? Long.reverse(cpu.x[insn.rn])
                            : Integer.reverse((int) cpu.x[insn.rn]))),
            row("REV16", "z 1 0 11010110 00000 000001 nnnnn ddddd", ops(Ops.CALL, Ops.CALL), DataProcessing::rev16),
            row("REV_W", "0 1 0 11010110 00000 000010 nnnnn ddddd", ops(Ops.CALL, Ops.CALL),
                    (cpu, insn) -> set(cpu, insn, Integer.reverseBytes((int) cpu.x[insn.rn]))),
            row("REV32", "1 1 0 11010110 00000 000010 nnnnn ddddd", ops(Ops.CALL, Ops.CALL),
                    (cpu, insn) -> cpu.x[insn.rd] = Long.rotateLeft(Long.reverseBytes(cpu.x[insn.rn]), 32)),
            row("REV_X", "1 1 0 11010110 00000 000011 nnnnn ddddd", ops(Ops.CALL, Ops.CALL),
                    (cpu, insn) -> cpu.x[insn.rd] = Long.reverseBytes(cpu.x[insn.rn])),
            row("CLZ", "z 1 0 11010110 00000 000100 nnnnn ddddd", ops(Ops.CALL, Ops.CALL),
                    (cpu, insn) -> cpu.x[insn.rd] = insn.c == 1 ? Long.numberOfLeadingZeros(cpu.x[insn.rn])
                            : Integer.numberOfLeadingZeros((int) cpu.x[insn.rn])),
            row("CLS", "z 1 0 11010110 00000 000101 nnnnn ddddd", ops(Ops.CALL, Ops.CALL), DataProcessing::cls),
            row("MADD", "z 00 11011 000 mmmmm 0 aaaaa nnnnn ddddd", ops(Ops.MADD_X, Ops.MADD_W),
                    (cpu, insn) -> set(cpu, insn, cpu.x[insn.ra] + cpu.x[insn.rn] * cpu.x[insn.rm])),
            row("MSUB", "z 00 11011 000 mmmmm 1 aaaaa nnnnn ddddd", ops(Ops.MSUB_X, Ops.CALL),
                    (cpu, insn) -> set(cpu, insn, cpu.x[insn.ra] - cpu.x[insn.rn] * cpu.x[insn.rm])),
            row("SMADDL", "1 00 11011 001 mmmmm 0 aaaaa nnnnn ddddd", ops(Ops.SMADDL, Ops.CALL),
                    (cpu, insn) -> cpu.x[insn.rd] = cpu.x[insn.ra]
                            + (long) (int) cpu.x[insn.rn] * (int) cpu.x[insn.rm]),
            row("SMSUBL", "1 00 11011 001 mmmmm 1 aaaaa nnnnn ddddd", ops(Ops.CALL, Ops.CALL),
                    (cpu, insn) -> cpu.x[insn.rd] = cpu.x[insn.ra]
                            - (long) (int) cpu.x[insn.rn] * (int) cpu.x[insn.rm]),
            row("SMULH", "1 00 11011 010 mmmmm 0 aaaaa nnnnn ddddd", ops(Ops.CALL, Ops.CALL),
                    (cpu, insn) -> cpu.x[insn.rd] = Math.multiplyHigh(cpu.x[insn.rn], cpu.x[insn.rm])),
            row("UMADDL", "1 00 11011 101 mmmmm 0 aaaaa nnnnn ddddd", ops(Ops.UMADDL, Ops.CALL),
                    (cpu, insn) -> cpu.x[insn.rd] = cpu.x[insn.ra]
                            + (cpu.x[insn.rn] & LOW) * (cpu.x[insn.rm] & LOW)),
            row("UMSUBL", "1 00 11011 101 mmmmm 1 aaaaa nnnnn ddddd", ops(Ops.CALL, Ops.CALL),
                    (cpu, insn) -> cpu.x[insn.rd] = cpu.x[insn.ra]
                            - (cpu.x[insn.rn] & LOW) * (cpu.x[insn.rm] & LOW)),
            row("UMULH", "1 00 11011 110 mmmmm 0 aaaaa nnnnn ddddd", ops(Ops.UMULH, Ops.CALL),
                    (cpu, insn) -> cpu.x[insn.rd] = Math.unsignedMultiplyHigh(cpu.x[insn.rn], cpu.x[insn.rm])));

    private DataProcessing() {
    }

    private static Fields ops(int op64, int op32) {
        return insn -> {
            generalRegisters(insn);
            insn.ra = xOrZr(insn.bits(10, 5));
            insn.op = insn.c == 1 ? op64 : op32;
            return true;
        };
    }

    private static void set(Cpu cpu, Insn insn, long result) {
        cpu.x[insn.rd] = insn.c == 1 ? result : result & LOW;
    }

    private static void udiv(Cpu cpu, Insn insn) {
        long n = insn.c == 1 ? cpu.x[insn.rn] : cpu.x[insn.rn] & LOW;
        long m = insn.c == 1 ? cpu.x[insn.rm] : cpu.x[insn.rm] & LOW;
        cpu.x[insn.rd] = m == 0 ? 0 : Long.divideUnsigned(n, m);
    }

    private static void sdiv(Cpu cpu, Insn insn) {
        long n = insn.c == 1 ? cpu.x[insn.rn] : (int) cpu.x[insn.rn];
        long m = insn.c == 1 ? cpu.x[insn.rm] : (int) cpu.x[insn.rm];
        set(cpu, insn, m == 0 ? 0 : n / m);
    }

    private static void shiftVariable(Cpu cpu, Insn insn, int type) {
        long value = cpu.x[insn.rn];
        int amount = (int) cpu.x[insn.rm];
        cpu.x[insn.rd] = insn.c == 1 ? Shift.shift64(value, type, amount & 63)
                : Shift.shift32((int) value, type, amount & 31) & LOW;
    }

    private interface Update {
        int apply(int accumulator, long value);
    }

    private static void crc(Cpu cpu, Insn insn, Update update) {
        cpu.x[insn.rd] = update.apply((int) cpu.x[insn.rn], cpu.x[insn.rm]) & LOW;
    }

    private static void rev16(Cpu cpu, Insn insn) {
        long value = cpu.x[insn.rn];
        set(cpu, insn, (value & 0x00FF_00FF_00FF_00FFL) << 8 | value >>> 8 & 0x00FF_00FF_00FF_00FFL);
    }

    private static void cls(Cpu cpu, Insn insn) {
        long value = insn.c == 1 ? cpu.x[insn.rn] : (int) cpu.x[insn.rn];
        int leading = Long.numberOfLeadingZeros(value ^ value >> 63) - 1;
        cpu.x[insn.rd] = insn.c == 1 ? leading : leading - 32;
    }
}

package gunyah.arm64.semantics;

import static gunyah.arm64.semantics.Rows.gated;
import static gunyah.arm64.semantics.Rows.gatedBranch;
import static gunyah.arm64.semantics.Rows.rdField;
import static gunyah.arm64.semantics.Rows.rmField;
import static gunyah.arm64.semantics.Rows.rnField;
import static gunyah.arm64.semantics.Rows.xOrNowhere;
import static gunyah.arm64.semantics.Rows.xOrSp;
import static gunyah.arm64.semantics.Rows.xOrZr;

import gunyah.arm64.Cpu;
import gunyah.arm64.decode.Insn;
import gunyah.arm64.decode.InstructionRow;
import gunyah.arm64.decode.Semantics;
import gunyah.arm64.state.CpuState;
import gunyah.arm64.sysreg.PointerKeys;
import java.util.ArrayList;
import java.util.List;

/**
 * Pointer authentication of FEAT_PAuth (C4.1.92 to C4.1.95). Without the feature those in the hint space are NOPs of
 * the HINT row. Operands: {@code a} the key, {@code rd} the pointer or target, {@code rn} the modifier.
 */
final class PointerAuth {
    private static final String PAUTH = "FEAT_PAuth";
    private static final String[] KEY = {"IA", "IB", "DA", "DB"};
    private static final int LR = 30;

    static final List<InstructionRow> ROWS = rows();

    private PointerAuth() {
    }

    private static List<InstructionRow> rows() {
        List<InstructionRow> rows = new ArrayList<>();
        for (int key = 0; key < 4; key++) {
            data(rows, key);
        }
        rows.add(gated("XPACI", PAUTH, "1 1 0 11010110 00001 010000 11111 ddddd", insn -> dataFields(insn, 0),
                (cpu, insn) -> cpu.x[insn.rd] = cpu.sys.pointerKeys.strip(cpu.x[insn.ra], true)));
        rows.add(gated("XPACD", PAUTH, "1 1 0 11010110 00001 010001 11111 ddddd", insn -> dataFields(insn, 0),
                (cpu, insn) -> cpu.x[insn.rd] = cpu.sys.pointerKeys.strip(cpu.x[insn.ra], false)));
        rows.add(gated("PACGA", PAUTH, "1 0 0 11010110 mmmmm 001100 nnnnn ddddd", PointerAuth::genericFields,
                (cpu, insn) -> cpu.x[insn.rd] = cpu.sys.pointerKeys.generic(cpu.x[insn.rn], cpu.x[insn.rm])));
        rows.add(hint("XPACLRI", "0000 111", 0, LR, LR,
                (cpu, insn) -> cpu.x[LR] = cpu.sys.pointerKeys.strip(cpu.x[LR], true)));
        for (int key = 0; key < 2; key++) {
            hints(rows, key);
            branches(rows, key);
            loads(rows, key);
        }
        return List.copyOf(rows);
    }

    private static void data(List<InstructionRow> rows, int key) {
        String bits = "" + (key >> 1) + (key & 1);
        rows.add(gated("PAC" + KEY[key], PAUTH, "1 1 0 11010110 00001 0000" + bits + " nnnnn ddddd",
                insn -> dataFields(insn, key), PointerAuth::sign));
        rows.add(gated("AUT" + KEY[key], PAUTH, "1 1 0 11010110 00001 0001" + bits + " nnnnn ddddd",
                insn -> dataFields(insn, key), PointerAuth::authenticate));
        rows.add(gated("PAC" + zero(KEY[key]), PAUTH, "1 1 0 11010110 00001 0010" + bits + " 11111 ddddd",
                insn -> zeroFields(insn, key), PointerAuth::sign));
        rows.add(gated("AUT" + zero(KEY[key]), PAUTH, "1 1 0 11010110 00001 0011" + bits + " 11111 ddddd",
                insn -> zeroFields(insn, key), PointerAuth::authenticate));
    }

    private static String zero(String key) {
        return key.charAt(0) + "Z" + key.charAt(1);
    }

    private static boolean dataFields(Insn insn, int key) {
        insn.rd = xOrNowhere(rdField(insn));
        insn.ra = xOrZr(rdField(insn));
        insn.rn = xOrSp(rnField(insn));
        insn.a = key;
        return true;
    }

    private static boolean zeroFields(Insn insn, int key) {
        dataFields(insn, key);
        insn.rn = CpuState.ZR_READ;
        return true;
    }

    private static boolean genericFields(Insn insn) {
        insn.rd = xOrNowhere(rdField(insn));
        insn.rn = xOrZr(rnField(insn));
        insn.rm = xOrSp(rmField(insn));
        return true;
    }

    private static void hints(List<InstructionRow> rows, int key) {
        String b = "" + key;
        rows.add(hint("PAC" + KEY[key] + "1716", "0001 0" + b + "0", key, 17, 16, PointerAuth::sign));
        rows.add(hint("AUT" + KEY[key] + "1716", "0001 1" + b + "0", key, 17, 16, PointerAuth::authenticate));
        rows.add(hint("PAC" + KEY[key] + "Z", "0011 0" + b + "0", key, LR, CpuState.ZR_READ, PointerAuth::sign));
        rows.add(hint("PAC" + KEY[key] + "SP", "0011 0" + b + "1", key, LR, CpuState.SP, PointerAuth::sign));
        rows.add(hint("AUT" + KEY[key] + "Z", "0011 1" + b + "0", key, LR, CpuState.ZR_READ,
                PointerAuth::authenticate));
        rows.add(hint("AUT" + KEY[key] + "SP", "0011 1" + b + "1", key, LR, CpuState.SP, PointerAuth::authenticate));
    }

    private static InstructionRow hint(String name, String bits, int key, int pointer, int modifier,
            Semantics semantics) {
        return gated(name, PAUTH, "1101 0101 0000 0011 0010 " + bits + " 11111", insn -> {
            insn.rd = pointer;
            insn.ra = pointer;
            insn.rn = modifier;
            insn.a = key;
            return true;
        }, semantics);
    }

    private static void sign(Cpu cpu, Insn insn) {
        cpu.x[insn.rd] = cpu.sys.pointerKeys.sign(insn.a, cpu.x[insn.ra], cpu.x[insn.rn]);
    }

    private static void authenticate(Cpu cpu, Insn insn) {
        cpu.x[insn.rd] = cpu.sys.pointerKeys.authenticate(insn.a, cpu.x[insn.ra], cpu.x[insn.rn]);
    }

    private static void branches(List<InstructionRow> rows, int key) {
        String m = "" + key;
        String letter = KEY[key].substring(1);
        rows.add(gatedBranch("BRA" + letter + "Z", PAUTH, "1101011 0 0 00 11111 00001 " + m + " nnnnn 11111",
                insn -> branchFields(insn, key, true), (cpu, insn) -> Branches.indirect(cpu, insn, target(cpu, insn))));
        rows.add(gatedBranch("BRA" + letter, PAUTH, "1101011 1 0 00 11111 00001 " + m + " nnnnn mmmmm",
                insn -> branchFields(insn, key, false),
                (cpu, insn) -> Branches.indirect(cpu, insn, target(cpu, insn))));
        rows.add(gatedBranch("BLRA" + letter + "Z", PAUTH, "1101011 0 0 01 11111 00001 " + m + " nnnnn 11111",
                insn -> branchFields(insn, key, true), (cpu, insn) -> Branches.call(cpu, target(cpu, insn))));
        rows.add(gatedBranch("BLRA" + letter, PAUTH, "1101011 1 0 01 11111 00001 " + m + " nnnnn mmmmm",
                insn -> branchFields(insn, key, false), (cpu, insn) -> Branches.call(cpu, target(cpu, insn))));
        rows.add(gatedBranch("RETA" + letter, PAUTH, "1101011 0 0 10 11111 00001 " + m + " 11111 11111",
                insn -> returnFields(insn, key),
                (cpu, insn) -> cpu.s.pc = cpu.mmu.branchAddress(target(cpu, insn))));
        rows.add(gatedBranch("ERETA" + letter, PAUTH, "1101011 0 1 00 11111 00001 " + m + " 11111 11111",
                insn -> returnFields(insn, key), PointerAuth::exceptionReturn));
    }

    private static boolean branchFields(Insn insn, int key, boolean zero) {
        insn.rd = xOrZr(rnField(insn));
        insn.rn = zero ? CpuState.ZR_READ : xOrSp(rdField(insn));
        insn.a = key;
        return true;
    }

    private static boolean returnFields(Insn insn, int key) {
        insn.rd = LR;
        insn.rn = CpuState.SP;
        insn.a = key;
        return true;
    }

    private static long target(Cpu cpu, Insn insn) {
        return cpu.sys.pointerKeys.authenticate(insn.a, cpu.x[insn.rd], cpu.x[insn.rn]);
    }

    private static void exceptionReturn(Cpu cpu, Insn insn) {
        if (cpu.s.el == 0) {
            throw cpu.undefined();
        }
        cpu.exceptions.eret(elr -> cpu.sys.pointerKeys.authenticate(insn.a, elr, cpu.x[CpuState.SP]));
        cpu.interruptMasksChanged();
    }

    private static void loads(List<InstructionRow> rows, int key) {
        String letter = KEY[key].substring(1);
        rows.add(gated("LDRA" + letter, PAUTH, "11 111 0 00 " + key + " s 1 iiiiiiiii 0 1 nnnnn ttttt",
                insn -> loadFields(insn, key), PointerAuth::load));
        rows.add(gated("LDRA" + letter + "_pre", PAUTH, "11 111 0 00 " + key + " s 1 iiiiiiiii 1 1 nnnnn ttttt",
                insn -> loadFields(insn, key), PointerAuth::load));
    }

    private static boolean loadFields(Insn insn, int key) {
        insn.rd = xOrNowhere(rdField(insn));
        insn.rn = xOrSp(rnField(insn));
        insn.imm = 8L * (insn.bits(12, 9) - 512 * insn.bits(22, 1));
        insn.a = PointerKeys.DA + key;
        insn.b = insn.bits(11, 1);
        return true;
    }

    private static void load(Cpu cpu, Insn insn) {
        long address = cpu.sys.pointerKeys.authenticate(insn.a, cpu.x[insn.rn], 0) + insn.imm;
        long value = cpu.mmu.read64(address);
        if (insn.b == 1) {
            cpu.x[insn.rn] = address;
        }
        cpu.x[insn.rd] = value;
    }
}

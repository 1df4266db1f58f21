package gunyah.arm64.semantics;

import static gunyah.arm64.semantics.Rows.LOW;
import static gunyah.arm64.semantics.Rows.rdField;
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
 * Loads and stores of two general registers (C4.1.94). Operands: {@code rd} and {@code ra} the registers, base
 * {@code rn}; the address is {@code rn + a}, after which {@code rn} grows by {@code b}.
 */
final class LoadStorePair {
    private static final String[] FORMS = {"no_allocate", "post", "offset", "pre"};

    static final List<InstructionRow> ROWS = rows();

    private LoadStorePair() {
    }

    private static List<InstructionRow> rows() {
        List<InstructionRow> rows = new ArrayList<>();
        for (int form = 0; form < FORMS.length; form++) {
            String middle = "101 0 0" + (form >>> 1) + (form & 1);
            String rest = "iiiiiii aaaaa nnnnn ttttt";
            rows.add(row("STP_W_" + FORMS[form], "00" + middle + "0" + rest, fields(form, 2, true, Ops.CALL),
                    LoadStorePair::stpW));
            rows.add(row("LDP_W_" + FORMS[form], "00" + middle + "1" + rest, fields(form, 2, false, Ops.CALL),
                    LoadStorePair::ldpW));
            rows.add(row("STP_X_" + FORMS[form], "10" + middle + "0" + rest, fields(form, 3, true, Ops.STP_X),
                    LoadStorePair::stpX));
            rows.add(row("LDP_X_" + FORMS[form], "10" + middle + "1" + rest, fields(form, 3, false, Ops.LDP_X),
                    LoadStorePair::ldpX));
            if (form != 0) {
                rows.add(row("LDPSW_" + FORMS[form], "01" + middle + "1" + rest, fields(form, 2, false, Ops.CALL),
                        LoadStorePair::ldpsw));
            }
        }
        return List.copyOf(rows);
    }

    private static Fields fields(int form, int size, boolean store, int op) {
        return insn -> {
            int first = rdField(insn);
            int second = insn.bits(10, 5);
            insn.rd = store ? xOrZr(first) : xOrNowhere(first);
            insn.ra = store ? xOrZr(second) : xOrNowhere(second);
            insn.rn = xOrSp(rnField(insn));
            int offset = insn.signedBits(15, 7) << size;
            insn.a = form == 1 ? 0 : offset;
            insn.b = form == 1 || form == 3 ? offset : 0;
            insn.op = op;
            return true;
        };
    }

    private static void stpW(Cpu cpu, Insn insn) {
        long base = cpu.x[insn.rn];
        cpu.mmu.write32(base + insn.a, (int) cpu.x[insn.rd]);
        cpu.mmu.write32(base + insn.a + 4, (int) cpu.x[insn.ra]);
        cpu.x[insn.rn] = base + insn.b;
    }

    private static void stpX(Cpu cpu, Insn insn) {
        long base = cpu.x[insn.rn];
        cpu.mmu.write64(base + insn.a, cpu.x[insn.rd]);
        cpu.mmu.write64(base + insn.a + 8, cpu.x[insn.ra]);
        cpu.x[insn.rn] = base + insn.b;
    }

    private static void ldpW(Cpu cpu, Insn insn) {
        long va = cpu.x[insn.rn] + insn.a;
        long first = cpu.mmu.read32(va) & LOW;
        finish(cpu, insn, first, cpu.mmu.read32(va + 4) & LOW);
    }

    private static void ldpsw(Cpu cpu, Insn insn) {
        long va = cpu.x[insn.rn] + insn.a;
        long first = cpu.mmu.read32(va);
        finish(cpu, insn, first, cpu.mmu.read32(va + 4));
    }

    private static void ldpX(Cpu cpu, Insn insn) {
        long va = cpu.x[insn.rn] + insn.a;
        long first = cpu.mmu.read64(va);
        finish(cpu, insn, first, cpu.mmu.read64(va + 8));
    }

    private static void finish(Cpu cpu, Insn insn, long first, long second) {
        cpu.x[insn.rn] += insn.b;
        cpu.x[insn.rd] = first;
        cpu.x[insn.ra] = second;
    }
}
